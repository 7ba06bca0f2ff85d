using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conformance;

/// Large objects, pinned arrays, uninitialised ones, and generations.
static unsafe class Places
{
    [Case]
    static object LargeArraysStay()
    {
        var kept = Enumerable.Range(0, 20).Select(i => new long[20000 + i * 1000]).ToArray();
        for (int i = 0; i < kept.Length; i++) Array.Fill(kept[i], i);
        Help.Collect();
        Help.Churn();
        return kept.Where((each, i) => each.Length == 20000 + i * 1000 && each.All(one => one == i)).Count();
    }

    [Case]
    static object LargeArraysComeZeroed()
    {
        for (int i = 0; i < 50; i++)
        {
            var large = new byte[100000 + i * 5000];
            if (large.AsSpan().ContainsAnyExcept((byte)0)) return $"not number {i}";
            large.AsSpan().Fill(0xff);
        }
        return true;
    }

    [Case]
    static object LargeArraysOfReferences()
    {
        var large = new string[50000];
        for (int i = 0; i < large.Length; i++) large[i] = i % 10 == 0 ? $"{i}" : "";
        Help.Collect();
        for (int i = 5; i < large.Length; i += 1000) large[i] = $"young {i}";
        GC.Collect(0);
        Help.Churn();
        return large.Where((each, i) => each == (i % 1000 == 5 ? $"young {i}" : i % 10 == 0 ? $"{i}" : "")).Count();
    }

    [Case]
    static object LargeOnesDie()
    {
        var weak = Help.OnThread(() => Enumerable.Range(0, 20).Select(i => new WeakReference(new byte[500000])).ToArray());
        return Help.Comes(() => weak.All(each => !each.IsAlive));
    }

    [Case]
    static object LargeOnesAreOfTheOldestGeneration() => GC.GetGeneration(new byte[200000]);

    [Case]
    static object LargeMemoryIsUsedAgain()
    {
        long sum = 0;
        for (int i = 0; i < 2000; i++)
        {
            var large = new byte[1000000];
            large[i] = 1;
            sum += large[i];
        }
        return $"{sum}, less than a gigabyte is in use {GC.GetTotalMemory(true) < 1 << 30}";
    }

    [Case]
    static object VeryLargeArrays()
    {
        var large = new byte[300_000_000];
        large[^1] = 7;
        Help.Collect();
        return $"{large[^1]} {large[150_000_000]} {large.Length}";
    }

    [Case]
    static object PinnedArrays()
    {
        var arrays = Enumerable.Range(0, 50).Select(i => GC.AllocateArray<int>(100 + i, pinned: true)).ToArray();
        var addresses = arrays.Select(each => (nint)Unsafe.AsPointer(ref each[0])).ToArray();
        foreach (var each in arrays) Array.Fill(each, each.Length);
        Help.Collect();
        Help.Churn();
        return arrays.Where((each, i) => (nint)Unsafe.AsPointer(ref each[0]) == addresses[i] && ((int*)addresses[i])[each.Length - 1] == each.Length).Count();
    }

    [Case]
    static object PinnedArraysOfReferences()
    {
        var array = GC.AllocateArray<string>(100, pinned: true);
        for (int i = 0; i < 100; i++) array[i] = $"{i}";
        Help.Collect();
        Help.Churn();
        return array.Where((each, i) => each == $"{i}").Count();
    }

    [Case]
    static object PinnedArraysDie()
    {
        var weak = Help.OnThread(() => new WeakReference(GC.AllocateArray<byte>(1000, pinned: true)));
        return Help.Dies(weak);
    }

    [Case]
    static object PinnedArraysAreOfTheOldestGeneration() => GC.GetGeneration(GC.AllocateArray<byte>(10, pinned: true));

    [Case]
    static object UninitializedArrays()
    {
        var small = GC.AllocateUninitializedArray<byte>(100);
        var large = GC.AllocateUninitializedArray<byte>(200000);
        var pinned = GC.AllocateUninitializedArray<long>(5000, pinned: true);
        var references = GC.AllocateUninitializedArray<string>(3000);
        large.AsSpan().Fill(3);
        Help.Collect();
        return $"{small.Length} {large.Count(each => each == 3)} {pinned.Length} {references.Count(each => each == null)}";
    }

    static object? kept;

    // A conservative collector leaves what a stack may refer to where it is, and young.
    [Case]
    static object Generations()
    {
        bool within = Help.OnThread(() => GC.GetGeneration(kept = new object()) <= GC.MaxGeneration);
        for (int i = 0; i < 3; i++) GC.Collect();
        return $"{GC.MaxGeneration} {within} {Help.OnThread(() => GC.GetGeneration(kept!))}";
    }

    [Case]
    static object GenerationOfAWeakReference()
    {
        var weak = Help.OnThread(() => new WeakReference(kept = new object()));
        for (int i = 0; i < 3; i++) GC.Collect();
        int generation = Help.OnThread(() => GC.GetGeneration(weak));
        kept = null;
        Help.Dies(weak);
        return $"{generation} {Help.Thrown(() => GC.GetGeneration(weak))}";
    }

    [Case]
    static object GenerationOfALiteral() => GC.GetGeneration("a literal") == int.MaxValue;

    [Case]
    static object CollectionsAreCounted()
    {
        int[] before = [GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2)];
        GC.Collect(0);
        GC.Collect(1);
        GC.Collect(2);
        int[] more = [.. before.Select((count, generation) => GC.CollectionCount(generation) - count)];
        return $"{more[0] >= 3} {more[1] >= 2} {more[2] >= 1}, in order {more[0] >= more[1] && more[1] >= more[2]}";
    }

    [Case]
    static object FragmentedByPins()
    {
        var kept = new List<GCHandle>();
        for (int i = 0; i < 5000; i++)
        {
            var bytes = new byte[50 + i % 100];
            bytes[0] = (byte)i;
            if (i % 25 == 0) kept.Add(GCHandle.Alloc(bytes, GCHandleType.Pinned));
        }
        Help.Collect();
        Help.Churn(5000);
        int right = kept.Where((each, i) => *(byte*)each.AddrOfPinnedObject() == (byte)(i * 25)).Count();
        foreach (var each in kept) each.Free();
        return right;
    }
}
