using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Conformance;

/// Weak references short and long, dependent handles, tables of them.
static class Weak
{
    sealed class Reviving
    {
        public static object? Saved;
        public int Number = 3;
        ~Reviving() => Saved = this;
    }

    [Case]
    static object ShortOnesDie()
    {
        var weak = Help.OnThread(() => Enumerable.Range(0, 500).Select(_ => new WeakReference(new object())).ToArray());
        return $"{Help.Comes(() => weak.All(each => !each.IsAlive))}, targets {weak.Count(each => each.Target == null)}";
    }

    [Case]
    static object HeldOnesStay()
    {
        var targets = Enumerable.Range(0, 500).Select(i => $"target {i}").ToArray();
        var weak = targets.Select(each => new WeakReference<string>(each)).ToArray();
        Help.Collect();
        Help.Churn();
        return weak.Where((each, i) => each.TryGetTarget(out var target) && ReferenceEquals(target, targets[i])).Count();
    }

    [Case]
    static object GenericOnesDie()
    {
        var weak = Help.OnThread(() => new WeakReference<object>(new object()));
        return Help.Comes(() => !weak.TryGetTarget(out _));
    }

    [Case]
    static object ShortBeforeLong()
    {
        Reviving.Saved = null;
        var (shorter, longer) = Help.OnThread(() =>
        {
            var target = new Reviving();
            return (new WeakReference(target, false), new WeakReference(target, true));
        });
        bool revived = Help.Comes(() => Reviving.Saved != null);
        string seen = $"short {shorter.IsAlive}, long {longer.IsAlive}, intact {((Reviving)Reviving.Saved!).Number == 3}";
        Reviving.Saved = null;
        return $"{revived}: {seen}; then long dies {Help.Dies(longer)}";
    }

    [Case]
    static object TargetsCanBeChanged()
    {
        var weak = new WeakReference(null);
        bool before = weak.IsAlive;
        var target = new object();
        weak.Target = target;
        Help.Collect();
        bool held = ReferenceEquals(weak.Target, target);
        Help.OnThread(() => weak.Target = new object());
        GC.KeepAlive(target);
        return $"{before} {held} {Help.Dies(weak)}";
    }

    [Case]
    static object WeakReferencesThemselvesDie()
    {
        var target = new object();
        var outer = Help.OnThread(() => Enumerable.Range(0, 1000).Select(_ => new WeakReference(new WeakReference(target))).ToArray());
        bool dead = Help.Comes(() => outer.All(each => !each.IsAlive));
        GC.KeepAlive(target);
        return dead;
    }

    [Case]
    static object ToLargeObjects()
    {
        var weak = Help.OnThread(() => new WeakReference(new byte[200000]));
        var held = new byte[200000];
        var other = new WeakReference(held);
        bool dies = Help.Dies(weak), stays = other.IsAlive;
        GC.KeepAlive(held);
        return $"{dies} {stays}";
    }

    [Case]
    static object DependentHandles()
    {
        var key = new object();
        using var handle = new DependentHandle(key, new int[] { 5 });
        Help.Collect();
        Help.Churn();
        int value = ((int[])handle.Dependent!)[0];
        var (target, dependent) = handle.TargetAndDependent;
        return $"{value} {ReferenceEquals(target, key)} {((int[])dependent!)[0]}";
    }

    sealed class Dependent(DependentHandle handle)
    {
        DependentHandle handle = handle;
        public bool Empty => handle.Target == null && handle.Dependent == null;
        public void Free() => handle.Dispose();
    }

    [Case]
    static object DependentHandlesDoNotHoldTheirTarget()
    {
        var (handle, weak) = Help.OnThread(() =>
        {
            object key = new(), value = new object[] { key };
            return (new Dependent(new DependentHandle(key, value)), new WeakReference(value));
        });
        bool dies = Help.Dies(weak), empty = handle.Empty;
        handle.Free();
        return $"{dies} {empty}";
    }

    [Case]
    static object ChainsOfDependentHandles()
    {
        const int length = 300;
        var first = new object();
        var handles = new DependentHandle[length];
        Help.OnThread(() =>
        {
            object key = first;
            for (int i = 0; i < length; i++)
            {
                object value = new string('v', i + 1);
                handles[length - 1 - i] = new DependentHandle(key, value);
                key = value;
            }
        });
        Help.Collect();
        Help.Churn();
        int right = handles.Reverse().Where((each, i) => each.Dependent is string text && text.Length == i + 1).Count();
        GC.KeepAlive(first);
        foreach (var each in handles) each.Dispose();
        return right;
    }

    [Case]
    static object Tables()
    {
        var table = new ConditionalWeakTable<object, string>();
        var kept = Enumerable.Range(0, 300).Select(_ => new object()).ToArray();
        for (int i = 0; i < kept.Length; i++) table.Add(kept[i], $"{i}");
        Help.OnThread(() => { for (int i = 0; i < 300; i++) table.Add(new object(), $"lost {i}"); });
        bool gone = Help.Comes(() => table.Count() == 300);
        int right = kept.Where((each, i) => table.TryGetValue(each, out var text) && text == $"{i}").Count();
        return $"{gone} {right}";
    }

    [Case]
    static object TablesWhoseValuesReferToTheirKeys()
    {
        var table = new ConditionalWeakTable<object, object[]>();
        var weak = Help.OnThread(() => Enumerable.Range(0, 100).Select(_ =>
        {
            var key = new object();
            table.Add(key, [key, new byte[100]]);
            return new WeakReference(key);
        }).ToArray());
        return Help.Comes(() => weak.All(each => !each.IsAlive));
    }

    [Case]
    static object TablesThroughResurrection()
    {
        Reviving.Saved = null;
        var table = new ConditionalWeakTable<object, string>();
        Help.OnThread(() => table.Add(new Reviving(), new string('t', 4)));
        bool revived = Help.Comes(() => Reviving.Saved != null);
        bool there = table.TryGetValue(Reviving.Saved!, out var text);
        Reviving.Saved = null;
        return $"{revived} {there} {text}";
    }

    [Case]
    static object TablesThatAreGone()
    {
        var (table, value) = Help.OnThread(() =>
        {
            var table = new ConditionalWeakTable<object, object>();
            var value = new object();
            table.Add("a literal that never dies", value);
            return (new WeakReference(table), new WeakReference(value));
        });
        return $"{Help.Dies(table)} {Help.Dies(value)}";
    }

    [Case]
    static object TablesOfSeveralThreads()
    {
        var table = new ConditionalWeakTable<object, string>();
        var kept = Enumerable.Range(0, 4).Select(_ => new object[100]).ToArray();
        var threads = Enumerable.Range(0, 4).Select(id => new Thread(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                kept[id][i] = new object();
                table.Add(kept[id][i], $"{id}:{i}");
                table.GetOrCreateValue();
                if (i % 40 == id) GC.Collect(i % 3);
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return kept.SelectMany((row, id) => row.Where((key, i) => table.TryGetValue(key, out var text) && text == $"{id}:{i}")).Count();
    }

    static void GetOrCreateValue(this ConditionalWeakTable<object, string> table)
    {
        var key = new object();
        table.GetValue(key, _ => "short of life");
    }

    sealed class Generation2Callback
    {
        public static int Calls;
        public static bool Stop;
        ~Generation2Callback()
        {
            Interlocked.Increment(ref Calls);
            if (!Stop) GC.ReRegisterForFinalize(this);
        }
    }

    [Case]
    static object CallbacksByResurrection()
    {
        Help.OnThread(() => { new Generation2Callback(); });
        bool often = Help.Comes(() => Generation2Callback.Calls >= 5);
        Generation2Callback.Stop = true;
        return often;
    }
}
