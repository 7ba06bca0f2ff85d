using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conformance;

/// Boxes, and references into objects.
static unsafe class Values
{
    struct Pair
    {
        public string First;
        public object Second;
    }

    sealed class Holder
    {
        public int Before;
        public Pair Pair;
        public int After;
    }

    ref struct View
    {
        public ref Pair Pair;
        public Span<int> Numbers;
    }

    [Case]
    static object Boxes()
    {
        var boxes = new List<object>();
        for (int i = 0; i < 3000; i++)
            boxes.Add((i % 6) switch { 0 => i, 1 => (byte)i, 2 => (double)i, 3 => (decimal)i, 4 => DateTime.UnixEpoch.AddSeconds(i), _ => (i, $"{i}") });
        Help.Collect();
        Help.Churn();
        int right = boxes.Where((each, i) => each switch
        {
            int n => n == i, byte n => n == (byte)i, double n => n == i, decimal n => n == i,
            DateTime time => time == DateTime.UnixEpoch.AddSeconds(i), (int n, string text) => n == i && text == $"{i}", _ => false
        }).Count();
        return $"{right} of {boxes.Count}";
    }

    [Case]
    static object BoxedStructsHoldTheirReferences()
    {
        var boxes = Enumerable.Range(0, 500).Select(i => (object)new Pair { First = $"{i}", Second = new int[] { i } }).ToArray();
        Help.Collect();
        Help.Churn();
        return $"{boxes.Where((each, i) => ((Pair)each).First == $"{i}" && ((int[])((Pair)each).Second)[0] == i).Count()} intact";
    }

    [Case]
    static object UnboxedInPlace()
    {
        object box = 41;
        ref int inside = ref Unsafe.Unbox<int>(box);
        Help.Collect();
        Help.Churn();
        inside++;
        return box;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static ref int Inside(int length, int index, int value)
    {
        var array = new int[length];
        array[index] = value;
        return ref array[index];
    }

    [Case]
    static object AReferenceToAnElementHoldsItsArray()
    {
        ref int first = ref Inside(100, 0, 1), middle = ref Inside(1000, 500, 2), last = ref Inside(100, 99, 3);
        ref int large = ref Inside(100000, 77777, 4), only = ref Inside(1, 0, 5);
        Help.Collect();
        Help.Churn();
        return $"{first} {middle} {last} {large} {only}, before the middle {Unsafe.Add(ref middle, -500)}";
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static ref Pair InsideHolder(int value) => ref new Holder { Before = value, Pair = new Pair { First = $"{value}", Second = new int[] { value } }, After = value }.Pair;

    [Case]
    static object AReferenceToAFieldHoldsItsObject()
    {
        ref Pair pair = ref InsideHolder(7);
        Help.Collect();
        Help.Churn();
        pair.Second = new int[] { 8 };
        Help.Collect();
        return $"{pair.First} {((int[])pair.Second)[0]}";
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static Span<string> EndOf(string[] array) => array.AsSpan(array.Length);

    [Case]
    static object AnEmptySpanAtTheEnd()
    {
        var span = EndOf(new string[] { "a", "b" });
        var next = new string[] { "c" };
        Help.Collect();
        Help.Churn();
        return $"{span.Length}, {next[0]}";
    }

    [Case]
    static object SpansAndSlices()
    {
        var spans = new Memory<string>[200];
        for (int i = 0; i < spans.Length; i++) spans[i] = Enumerable.Range(0, i + 2).Select(j => $"{i}:{j}").ToArray().AsMemory(1, i + 1);
        ReadOnlySpan<char> part = new string('x', 500).AsSpan(250, 100);
        Help.Collect();
        Help.Churn();
        return $"{spans.Where((each, i) => each.Length == i + 1 && each.Span[i] == $"{i}:{i + 1}").Count()} intact, {part.Length} of {part[99]}";
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static View MakeView() => new() { Pair = ref InsideHolder(9), Numbers = new int[] { 1, 2, 3 }.AsSpan(1) };

    [Case]
    static object RefFields()
    {
        var view = MakeView();
        Help.Collect();
        Help.Churn();
        view.Pair.First += "!";
        return $"{view.Pair.First} {view.Numbers[1]}";
    }

    [Case]
    static object FixedPointers()
    {
        var bytes = new byte[1000];
        string text = new string('q', 40);
        fixed (byte* at = &bytes[500])
        fixed (char* characters = text)
        {
            Help.Collect();
            Help.Churn();
            for (int i = 0; i < 500; i++) at[i] = (byte)i;
            return $"{bytes[500 + 255]} {characters[39]} {(nint)at == (nint)Unsafe.AsPointer(ref bytes[500])}";
        }
    }

    [Case]
    static object InteriorReferencesInEveryFrame()
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        static int Descend(ref int outer, int depth)
        {
            var own = new int[20];
            own[depth % 20] = depth;
            if (depth == 0)
            {
                Help.Collect();
                return outer;
            }
            int below = Descend(ref own[depth % 20], depth - 1);
            return own[depth % 20] == depth && outer == depth + 1 ? below + 1 : -1000;
        }
        int start = 501;
        return Descend(ref start, 500);
    }

    [Case]
    static object TuplesAndGenericStructs()
    {
        var list = new List<(string, KeyValuePair<int, object>, Nullable<(int, string)>)>();
        for (int i = 0; i < 500; i++) list.Add(($"{i}", new(i, new object()), i % 2 == 0 ? (i, $"{-i}") : null));
        Help.Collect();
        Help.Churn();
        return $"{list.Where((each, i) => each.Item1 == $"{i}" && each.Item2.Key == i && each.Item2.Value != null && each.Item3?.Item2 == (i % 2 == 0 ? $"{-i}" : null)).Count()} intact";
    }

    [InlineArray(5)]
    struct Five
    {
        object? first;
    }

    [Case]
    static object InlineArrays()
    {
        var rows = new Five[100];
        for (int i = 0; i < rows.Length; i++) for (int j = 0; j < 5; j++) rows[i][j] = $"{i}.{j}";
        Help.Collect();
        Help.Churn();
        int right = 0;
        for (int i = 0; i < rows.Length; i++) for (int j = 0; j < 5; j++) if ((string?)rows[i][j] == $"{i}.{j}") right++;
        return $"{right} of 500";
    }

    [Case]
    static object StackallocBesideReferences()
    {
        Span<long> numbers = stackalloc long[200];
        var texts = new string[200];
        for (int i = 0; i < 200; i++) (numbers[i], texts[i]) = (i, $"{i}");
        Help.Collect();
        Help.Churn();
        int right = 0;
        for (int i = 0; i < 200; i++) if (texts[i] == $"{numbers[i]}") right++;
        return $"{right} of 200";
    }

    [Case]
    static object IdentityHashCodesStay()
    {
        var objects = Enumerable.Range(0, 2000).Select(_ => new object()).ToArray();
        var codes = objects.Select(RuntimeHelpers.GetHashCode).ToArray();
        lock (objects[5]) Help.Collect();
        Help.Churn();
        return $"{objects.Where((each, i) => RuntimeHelpers.GetHashCode(each) == codes[i]).Count()} stayed";
    }

    [Case]
    static object LocksAndHashCodesTogether()
    {
        var objects = Enumerable.Range(0, 300).Select(_ => new object()).ToArray();
        var codes = new int[300];
        for (int i = 0; i < 300; i++)
            lock (objects[i])
            {
                codes[i] = RuntimeHelpers.GetHashCode(objects[i]);
                if (i % 100 == 0) Help.Collect();
            }
        Help.Collect();
        return $"{objects.Where((each, i) => RuntimeHelpers.GetHashCode(each) == codes[i] && !System.Threading.Monitor.IsEntered(each)).Count()} right";
    }
}
