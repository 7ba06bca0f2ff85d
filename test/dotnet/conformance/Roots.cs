using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Conformance;

/// Statics, thread statics, stacks: what keeps objects alive.
static class Roots
{
    static object? plain;
    static (string Text, int[] Numbers) boxed;
    static readonly Dictionary<int, string> ready = Enumerable.Range(0, 100).ToDictionary(i => i, i => $"{i}");

    static class Generic<T>
    {
        public static List<T>? Values;
    }

    [ThreadStatic] static List<string>? own;
    [ThreadStatic] static (object? Reference, int Number) ownValue;

    [Case]
    static object Statics()
    {
        plain = new int[] { 1, 2, 3 };
        boxed = ("text", [4, 5]);
        Help.Collect();
        Help.Churn();
        return $"{((int[])plain)[2]} {boxed.Text} {boxed.Numbers[1]} {ready[99]}";
    }

    [Case]
    static object GenericStatics()
    {
        Generic<string>.Values = ["a", "b"];
        Generic<int>.Values = [1, 2];
        Generic<object[]>.Values = [["c"]];
        Help.Collect();
        Help.Churn();
        return $"{Generic<string>.Values[1]} {Generic<int>.Values[1]} {Generic<object[]>.Values[0][0]}";
    }

    [Case]
    static object AStaticThatIsClearedLetsGo()
    {
        var weak = Help.OnThread(() => new WeakReference(plain = new object()));
        bool held = weak.IsAlive;
        plain = null;
        return $"held {held}, dies {Help.Dies(weak)}";
    }

    [Case]
    static object ThreadStatics()
    {
        using var barrier = new Barrier(4);
        var right = new int[4];
        var threads = Enumerable.Range(0, 4).Select(id => new Thread(() =>
        {
            own = [.. Enumerable.Range(0, 100).Select(i => $"{id}:{i}")];
            ownValue = (new int[] { id }, id);
            barrier.SignalAndWait();
            if (id == 0) Help.Collect();
            barrier.SignalAndWait();
            Help.Churn();
            right[id] = own.Where((each, i) => each == $"{id}:{i}").Count() + ((int[])ownValue.Reference!)[0] - ownValue.Number;
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return string.Join(" ", right);
    }

    [Case]
    static object ThreadStaticsDieWithTheirThread()
    {
        var weak = Help.OnThread(() => new WeakReference(own = ["gone"]));
        return $"dies {Help.Dies(weak)}";
    }

    [Case]
    static object ThreadLocals()
    {
        using var local = new ThreadLocal<string[]>(() => [$"{Environment.CurrentManagedThreadId}"], true);
        var texts = Enumerable.Range(0, 3).Select(_ => Help.OnThread(() => local.Value![0])).ToArray();
        Help.Collect();
        return $"{local.Values.Count} values, {texts.Distinct().Count() > 0}";
    }

    [Case]
    static object AsyncLocals()
    {
        var local = new AsyncLocal<string>();
        async Task<string> Work(int id)
        {
            local.Value = $"value {id}";
            await Task.Yield();
            Help.Collect();
            await Task.Delay(1);
            return local.Value;
        }
        return string.Join(" ", Task.WhenAll(Enumerable.Range(0, 4).Select(Work)).Result);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static long Descend(int depth)
    {
        var own = new long[] { depth };
        string text = $"{depth}";
        if (depth == 0) Help.Collect();
        long below = depth == 0 ? 0 : Descend(depth - 1);
        return below + (own[0] == depth && text == $"{depth}" ? 1 : 0);
    }

    [Case]
    static object DeepStack() => Help.OnThread(() => $"{Descend(20000)} frames", 256 << 20);

    [Case]
    static object DeepStacksOfSeveralThreads()
    {
        var threads = Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(() => Help.OnThread(() => Descend(3000), 64 << 20), TaskCreationOptions.LongRunning)).ToArray();
        return string.Join(" ", Task.WhenAll(threads).Result);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static int ManyArguments(object a, object b, object c, object d, object e, object f, object g, object h, int depth)
    {
        if (depth > 0) return ManyArguments(h, new[] { depth }, a, b, c, d, e, f, depth - 1);
        Help.Collect();
        Help.Churn();
        return new[] { a, b, c, d, e, f, g, h }.Sum(each => ((int[])each)[0]);
    }

    [Case]
    static object ArgumentsOnTheStack() => ManyArguments(new[] { 1 }, new[] { 2 }, new[] { 3 }, new[] { 4 }, new[] { 5 }, new[] { 6 }, new[] { 7 }, new[] { 8 }, 0) +
                                           ManyArguments(new[] { 1 }, new[] { 2 }, new[] { 3 }, new[] { 4 }, new[] { 5 }, new[] { 6 }, new[] { 7 }, new[] { 8 }, 30);

    static IEnumerable<string> Numbers(int count)
    {
        var own = new List<int>();
        for (int i = 0; i < count; i++)
        {
            own.Add(i);
            yield return $"{own.Sum()}";
        }
    }

    [Case]
    static object Iterators()
    {
        using var iterator = Numbers(100).GetEnumerator();
        for (int i = 0; i < 50; i++) iterator.MoveNext();
        Help.Collect();
        Help.Churn();
        for (int i = 0; i < 50; i++) iterator.MoveNext();
        return iterator.Current;
    }

    [Case]
    static object Closures()
    {
        var text = new string('c', 10);
        var number = new int[] { 5 };
        Action grow = () => { text += "!"; number = [number[0] + 1]; };
        for (int i = 0; i < 20; i++)
        {
            grow();
            if (i % 5 == 0) Help.Collect();
        }
        return $"{text.Length} {number[0]}";
    }

    [Case]
    static object ReflectedCalls()
    {
        var method = typeof(Roots).GetMethod(nameof(Reflected), System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!;
        return method.Invoke(null, [new string('r', 5), new int[] { 6 }, 7])!;
    }

    static string Reflected(string text, int[] numbers, object box)
    {
        Help.Collect();
        Help.Churn();
        return $"{text} {numbers[0]} {box}";
    }

    [Case]
    static object DynamicMethods()
    {
        var expression = System.Linq.Expressions.Expression.Lambda<Func<string, string>>(
            System.Linq.Expressions.Expression.Call(typeof(string).GetMethod("Concat", [typeof(string), typeof(string)])!,
                System.Linq.Expressions.Expression.Constant("made "), _parameter), _parameter);
        var compiled = expression.Compile();
        Help.Collect();
        Help.Churn();
        return compiled("here");
    }

    static readonly System.Linq.Expressions.ParameterExpression _parameter = System.Linq.Expressions.Expression.Parameter(typeof(string));

    [Case]
    static object KeepAliveHolds()
    {
        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        static bool Held()
        {
            var target = new object();
            var weak = new WeakReference(target);
            Help.Collect();
            bool alive = weak.IsAlive;
            GC.KeepAlive(target);
            return alive;
        }
        return Held();
    }

    [Case]
    static object LiteralsAndTypes()
    {
        string literal = "a literal";
        var weak = new WeakReference(typeof(Generic<Version>));
        Help.Collect();
        return $"{ReferenceEquals(literal, string.Intern(new string("a literal".AsSpan())))} {weak.IsAlive} {string.IsInterned("a literal")}";
    }

    [Case]
    static object InternedStrings()
    {
        var kept = Enumerable.Range(0, 500).Select(i => string.Intern($"interned {i}")).ToArray();
        Help.Collect();
        Help.Churn();
        return $"{kept.Where((each, i) => ReferenceEquals(each, string.Intern($"interned {i}"))).Count()} the same";
    }
}
