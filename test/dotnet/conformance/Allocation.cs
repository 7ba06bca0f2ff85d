using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Conformance;

/// Objects of every shape: that they come zeroed, keep what is written into them, and end where the next begins.
static class Allocation
{
    sealed class Empty { }

    class Fields
    {
        public byte A;
        public object? First;
        public long B;
        public string? Second;
        public short C;
        public double D;
    }

    sealed class Derived : Fields
    {
        public object? Third;
        public int E;
    }

    sealed class Node(int value, Node? next)
    {
        public readonly int Value = value;
        public Node? Next = next;
    }

    struct Mixed
    {
        public int Number;
        public object? Reference;
        public byte Small;
        public string? Text;
    }

    [Case]
    static object SmallObjects()
    {
        var kept = new List<Node>();
        for (int i = 0; i < 20000; i++)
        {
            var node = new Node(i, null);
            if (i % 7 == 0) kept.Add(node);
        }
        Help.Collect();
        Help.Churn();
        return $"{kept.Count} kept, sum {kept.Sum(node => (long)node.Value)}";
    }

    [Case]
    static object EmptyObjects()
    {
        var kept = new object[1000];
        for (int i = 0; i < kept.Length; i++) kept[i] = i % 2 == 0 ? new Empty() : new object();
        Help.Collect();
        return $"{kept.Count(each => each is Empty)} empty, {kept.Distinct().Count()} distinct";
    }

    [Case]
    static object FieldsComeZeroed()
    {
        int wrong = 0;
        for (int i = 0; i < 5000; i++)
        {
            var fields = new Derived();
            if (fields.A != 0 || fields.First != null || fields.B != 0 || fields.Second != null || fields.C != 0 || fields.D != 0 ||
                fields.Third != null || fields.E != 0) wrong++;
            (fields.A, fields.B, fields.C, fields.D, fields.E) = (255, -1, -1, double.NaN, -1);
            (fields.First, fields.Second, fields.Third) = (fields, "text", fields);
        }
        return $"{wrong} wrong";
    }

    [Case]
    static object FieldsStay()
    {
        var kept = Enumerable.Range(0, 500).Select(i => new Derived
        {
            A = (byte)i, First = new Node(i, null), B = long.MinValue + i, Second = $"text {i}", C = (short)-i, D = i / 3.0, Third = new int[] { i }, E = ~i
        }).ToArray();
        Help.Collect();
        Help.Churn();
        int right = kept.Where((each, i) => each.A == (byte)i && ((Node)each.First!).Value == i && each.B == long.MinValue + i &&
            each.Second == $"text {i}" && each.C == (short)-i && each.D == i / 3.0 && ((int[])each.Third!)[0] == i && each.E == ~i).Count();
        return $"{right} of {kept.Length}";
    }

    [Case]
    static object ArraysOfBytesOfEverySize()
    {
        var kept = new List<byte[]>();
        for (int size = 0; size < 1200; size++)
        {
            var bytes = new byte[size];
            if (bytes.Any(each => each != 0)) return $"{size} bytes did not come zeroed";
            Array.Fill(bytes, (byte)size);
            kept.Add(bytes);
        }
        Help.Collect();
        Help.Churn();
        return $"{kept.Count(each => each.All(one => one == (byte)each.Length))} intact";
    }

    [Case]
    static object StringsOfEveryLength()
    {
        var kept = Enumerable.Range(0, 600).Select(length => new string((char)('a' + length % 26), length)).ToList();
        Help.Collect();
        Help.Churn();
        return $"{kept.Where((each, length) => each.Length == length && each.All(c => c == (char)('a' + length % 26))).Count()} intact";
    }

    [Case]
    static object ArraysOfReferences()
    {
        var outer = new object[300][];
        for (int i = 0; i < outer.Length; i++)
        {
            outer[i] = new object[i];
            for (int j = 0; j < i; j++) outer[i][j] = j % 3 == 0 ? outer[j] : new Node(i * 1000 + j, null);
        }
        Help.Collect();
        Help.Churn();
        int wrong = 0;
        for (int i = 0; i < outer.Length; i++)
            for (int j = 0; j < i; j++)
                if (j % 3 == 0 ? !ReferenceEquals(outer[i][j], outer[j]) : ((Node)outer[i][j]).Value != i * 1000 + j) wrong++;
        return $"{wrong} wrong";
    }

    [Case]
    static object ArraysOfStructsWithReferences()
    {
        var array = new Mixed[700];
        for (int i = 0; i < array.Length; i++)
            array[i] = new Mixed { Number = i, Reference = new Node(i, null), Small = (byte)i, Text = i.ToString() };
        Help.Collect();
        Help.Churn();
        int right = array.Where((each, i) => each.Number == i && ((Node)each.Reference!).Value == i && each.Small == (byte)i && each.Text == i.ToString()).Count();
        return $"{right} of {array.Length}";
    }

    [Case]
    static object ArraysOfMoreDimensions()
    {
        var square = new string[20, 30];
        var cube = new Mixed[5, 6, 7];
        var based = Array.CreateInstance(typeof(object), [4, 5], [-2, 10]);
        for (int i = 0; i < 20; i++) for (int j = 0; j < 30; j++) square[i, j] = $"{i},{j}";
        for (int i = 0; i < 5; i++) for (int j = 0; j < 6; j++) for (int k = 0; k < 7; k++) cube[i, j, k].Text = $"{i}{j}{k}";
        for (int i = -2; i < 2; i++) for (int j = 10; j < 15; j++) based.SetValue(new Node(i * j, null), i, j);
        Help.Collect();
        Help.Churn();
        int right = 0;
        for (int i = 0; i < 20; i++) for (int j = 0; j < 30; j++) if (square[i, j] == $"{i},{j}") right++;
        for (int i = 0; i < 5; i++) for (int j = 0; j < 6; j++) for (int k = 0; k < 7; k++) if (cube[i, j, k].Text == $"{i}{j}{k}") right++;
        for (int i = -2; i < 2; i++) for (int j = 10; j < 15; j++) if (((Node)based.GetValue(i, j)!).Value == i * j) right++;
        return $"{right} of {600 + 210 + 20}";
    }

    [Case]
    static object JaggedArrays()
    {
        var jagged = Enumerable.Range(0, 60).Select(i => Enumerable.Range(0, i).Select(j => new string[] { $"{i}", $"{j}" }).ToArray()).ToArray();
        Help.Collect();
        Help.Churn();
        return $"{jagged.SelectMany((row, i) => row.Where((cell, j) => cell[0] == $"{i}" && cell[1] == $"{j}")).Count()} cells";
    }

    [Case]
    static object LongList()
    {
        Node? list = null;
        for (int i = 0; i < 1000000; i++) list = new Node(i, list);
        GC.Collect();
        int count = 0;
        for (var node = list; node != null; node = node.Next) count++;
        return $"{count} nodes";
    }

    [Case]
    static object WideAndDeepTree()
    {
        static object[] Tree(int depth) => depth == 0 ? [] : [.. Enumerable.Range(0, 4).Select(_ => Tree(depth - 1))];
        static int Size(object[] tree) => 1 + tree.Sum(each => Size((object[])each));
        var tree = Tree(7);
        Help.Collect();
        Help.Churn();
        return $"{Size(tree)} nodes";
    }

    [Case]
    static object Delegates()
    {
        var actions = Enumerable.Range(0, 300).Select(i => (Func<int>)(() => i * i)).ToArray();
        Func<int>? all = null;
        foreach (var each in actions) all += each;
        Help.Collect();
        Help.Churn();
        return $"{actions.Sum(each => each())}, {all!.GetInvocationList().Length} in one, last {all()}";
    }

    [Case]
    static object Clones()
    {
        var original = Enumerable.Range(0, 400).Select(i => new Mixed { Number = i, Text = $"{i}", Reference = new int[] { i } }).ToArray();
        var clone = (Mixed[])original.Clone();
        Array.Clear(original);
        Help.Collect();
        Help.Churn();
        return $"{clone.Where((each, i) => each.Text == $"{i}" && ((int[])each.Reference!)[0] == i).Count()} intact";
    }

    [Case]
    static object CopiesOfReferences()
    {
        var target = new object[1000];
        Help.Collect();
        for (int round = 0; round < 20; round++)
        {
            var source = Enumerable.Range(0, 50).Select(i => (object)$"{round}:{i}").ToArray();
            Array.Copy(source, 0, target, round * 50, 50);
            source.AsSpan(0, 10).CopyTo(target.AsSpan(round * 50 + 20));
            GC.Collect(round % 3);
        }
        Help.Churn();
        int right = 0;
        for (int i = 0; i < target.Length; i++)
            if ((string)target[i] == $"{i / 50}:{(i % 50 is >= 20 and < 30 ? i % 50 - 20 : i % 50)}") right++;
        return $"{right} of {target.Length}";
    }

    [Case]
    static object MovesWithinAnArray()
    {
        var list = Enumerable.Range(0, 500).Select(i => $"{i}").ToList();
        Help.Collect();
        for (int i = 0; i < 200; i++)
        {
            list.Insert(i % 100, $"new {i}");
            list.RemoveAt(list.Count / 2);
            if (i % 50 == 0) GC.Collect(0);
        }
        Help.Churn();
        return $"{list.Count} items, {list.Count(each => each.StartsWith("new"))} new, last {list[^1]}";
    }

    [Case]
    static object OldObjectsReferToYoungOnes()
    {
        var old = new Node[2000];
        for (int i = 0; i < old.Length; i++) old[i] = new Node(i, null);
        Help.Collect();
        Help.Collect();
        for (int round = 0; round < 10; round++)
        {
            for (int i = round; i < old.Length; i += 10) old[i].Next = new Node(-i, new Node(i * 2, null));
            GC.Collect(0);
            Help.Churn(500);
        }
        return $"{old.Count(each => each.Next!.Value == -each.Value && each.Next.Next!.Value == each.Value * 2)} of {old.Length}";
    }

    [Case]
    static object Dictionaries()
    {
        var random = new Random(1);
        var dictionary = new Dictionary<string, List<int>>();
        for (int i = 0; i < 20000; i++)
        {
            string key = $"key {random.Next(2000)}";
            if (!dictionary.TryGetValue(key, out var list)) dictionary[key] = list = [];
            list.Add(i);
            if (random.Next(50) == 0) dictionary.Remove(key);
        }
        return $"{dictionary.Count} keys, {dictionary.Values.Sum(each => each.Count)} values, {dictionary.Values.Sum(each => (long)each[0])}";
    }

    [Case]
    static object StringBuilders()
    {
        var builder = new StringBuilder();
        for (int i = 0; i < 20000; i++) builder.Append(i).Append(',');
        string text = builder.ToString();
        return $"{text.Length} characters, {text.Split(',').Length} parts";
    }

    [Case]
    static object AllocatedBytesAreCounted()
    {
        long thread = GC.GetAllocatedBytesForCurrentThread(), all = GC.GetTotalAllocatedBytes(true);
        var kept = new byte[100][];
        for (int i = 0; i < kept.Length; i++) kept[i] = new byte[1000];
        var large = new byte[1000000];
        long threadMore = GC.GetAllocatedBytesForCurrentThread() - thread, allMore = GC.GetTotalAllocatedBytes(true) - all;
        GC.KeepAlive(large);
        return $"thread {threadMore is >= 1102400 and < 1150000}, process {allMore >= 1102400}, together {kept.Sum(each => each.Length)}";
    }
}
