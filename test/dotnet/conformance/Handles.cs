using System;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Conformance;

/// GCHandle of every type, and those of .NET 10 that know what they refer to.
static unsafe class Handles
{
    sealed class Reviving
    {
        public static object? Saved;
        ~Reviving() => Saved = this;
    }

    [Case]
    static object Normal()
    {
        var handles = Help.OnThread(() => Enumerable.Range(0, 1000).Select(i => GCHandle.Alloc(new int[] { i })).ToArray());
        Help.Collect();
        Help.Churn();
        int right = handles.Where((each, i) => ((int[])each.Target!)[0] == i).Count();
        foreach (var each in handles) each.Free();
        return right;
    }

    [Case]
    static object FreedOnesLetGo()
    {
        var (handle, weak) = Help.OnThread(() =>
        {
            var target = new object();
            return (GCHandle.Alloc(target), new WeakReference(target));
        });
        Help.Collect();
        bool held = weak.IsAlive;
        handle.Free();
        return $"{held} {Help.Dies(weak)} {handle.IsAllocated}";
    }

    [Case]
    static object WeakOnes()
    {
        var handle = Help.OnThread(() => GCHandle.Alloc(new object(), GCHandleType.Weak));
        bool dies = Help.Comes(() => handle.Target == null);
        handle.Free();
        return dies;
    }

    [Case]
    static object WeakThroughResurrection()
    {
        Reviving.Saved = null;
        var (shorter, longer) = Help.OnThread(() =>
        {
            var target = new Reviving();
            return (GCHandle.Alloc(target, GCHandleType.Weak), GCHandle.Alloc(target, GCHandleType.WeakTrackResurrection));
        });
        bool revived = Help.Comes(() => Reviving.Saved != null);
        string seen = Help.OnThread(() => $"{shorter.Target == null} {longer.Target is Reviving}");
        Reviving.Saved = null;
        bool dies = Help.Comes(() => longer.Target == null);
        shorter.Free();
        longer.Free();
        return $"{revived} {seen} {dies}";
    }

    [Case]
    static object Pinned()
    {
        var handles = Enumerable.Range(0, 100).Select(i => GCHandle.Alloc(Enumerable.Range(i, 50).ToArray(), GCHandleType.Pinned)).ToArray();
        var addresses = handles.Select(each => each.AddrOfPinnedObject()).ToArray();
        Help.Churn();
        Help.Collect();
        Help.Churn();
        int right = handles.Where((each, i) => each.AddrOfPinnedObject() == addresses[i] && ((int*)addresses[i])[49] == i + 49).Count();
        foreach (var each in handles) each.Free();
        return right;
    }

    [Case]
    static object PinningWhatCannotBe() => Help.Thrown(() => GCHandle.Alloc(new object[1], GCHandleType.Pinned));

    [Case]
    static object PinnedStringsAndBoxes()
    {
        var text = GCHandle.Alloc(new string('p', 5), GCHandleType.Pinned);
        var box = GCHandle.Alloc((object)77L, GCHandleType.Pinned);
        Help.Collect();
        string result = $"{((char*)text.AddrOfPinnedObject())[4]} {*(long*)box.AddrOfPinnedObject()}";
        text.Free();
        box.Free();
        return result;
    }

    [Case]
    static object ToPointersAndBack()
    {
        var handle = GCHandle.Alloc("there and back");
        nint word = GCHandle.ToIntPtr(handle);
        Help.Collect();
        var again = GCHandle.FromIntPtr(word);
        string? text = (string?)again.Target;
        again.Target = "another";
        bool same = handle.Equals(again) && (string?)handle.Target == "another";
        handle.Free();
        return $"{text} {same}";
    }

    [Case]
    static object FreedTwice()
    {
        var handle = GCHandle.Alloc(new object());
        handle.Free();
        return Help.Thrown(() => handle.Free());
    }

    [Case]
    static object ManyMadeAndFreed()
    {
        var random = new Random(2);
        var handles = new GCHandle[2000];
        for (int round = 0; round < 20000; round++)
        {
            int i = random.Next(handles.Length);
            if (handles[i].IsAllocated) handles[i].Free();
            handles[i] = GCHandle.Alloc(new int[] { i }, (GCHandleType)(i % 2 == 0 ? 2 : 3));
        }
        Help.Collect();
        int right = handles.Where((each, i) => !each.IsAllocated || ((int[])each.Target!)[0] == i).Count();
        foreach (var each in handles) if (each.IsAllocated) each.Free();
        return right;
    }

    [Case]
    static object FromSeveralThreads()
    {
        var right = new int[4];
        var threads = Enumerable.Range(0, 4).Select(id => new Thread(() =>
        {
            for (int i = 0; i < 2000; i++)
            {
                var handle = GCHandle.Alloc(new int[] { id * 10000 + i }, (GCHandleType)(i % 2 + 2));
                if (i % 700 == 0) GC.Collect(0);
                if (((int[])handle.Target!)[0] == id * 10000 + i) right[id]++;
                handle.Free();
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return string.Join(" ", right);
    }

    [Case]
    static object Typed()
    {
        using var handle = new GCHandle<string>(new string('h', 3));
        Help.Collect();
        Help.Churn();
        string first = handle.Target;
        handle.Target = "changed";
        return $"{first} {handle.Target} {handle.IsAllocated}";
    }

    [Case]
    static object TypedOnesThatAreDisposed()
    {
        var (handle, weak) = Help.OnThread(() =>
        {
            var target = new object();
            return (new GCHandle<object>(target), new WeakReference(target));
        });
        Help.Collect();
        bool held = weak.IsAlive;
        handle.Dispose();
        return $"{held} {Help.Dies(weak)}";
    }

    [Case]
    static object TypedPinned()
    {
        using var handle = new PinnedGCHandle<int[]>([1, 2, 3]);
        Help.Churn();
        Help.Collect();
        int* numbers = handle.GetAddressOfArrayData();
        return $"{numbers[2]} {handle.Target.Length}";
    }

    [Case]
    static object TypedWeak()
    {
        var handle = Help.OnThread(() => new WeakGCHandle<object>(new object()));
        var target = new object();
        using var held = new WeakGCHandle<object>(target);
        bool dies = Help.Comes(() => !handle.TryGetTarget(out _)), stays = held.TryGetTarget(out var same) && ReferenceEquals(same, target);
        handle.Dispose();
        return $"{dies} {stays}";
    }

    [Case]
    static object TypedWeakThroughResurrection()
    {
        Reviving.Saved = null;
        var handle = Help.OnThread(() => new WeakGCHandle<object>(new Reviving(), true));
        bool revived = Help.Comes(() => Reviving.Saved != null), there = Help.OnThread(() => handle.TryGetTarget(out _));
        Reviving.Saved = null;
        bool dies = Help.Comes(() => !handle.TryGetTarget(out _));
        handle.Dispose();
        return $"{revived} {there} {dies}";
    }

    [UnmanagedCallersOnly]
    static int Compare(nint a, nint b)
    {
        GC.Collect(0);
        return *(int*)a - *(int*)b;
    }

    [DllImport("libc", EntryPoint = "qsort")]
    static extern void Sort(int[] numbers, nuint count, nuint size, delegate* unmanaged<nint, nint, int> compare);

    [Case]
    static object PinnedForNativeCode()
    {
        var numbers = Enumerable.Range(0, 60).Select(i => i * 37 % 60).ToArray();
        Sort(numbers, 60, sizeof(int), &Compare);
        return numbers.SequenceEqual(Enumerable.Range(0, 60));
    }

    delegate int Comparison(nint a, nint b);

    [DllImport("libc", EntryPoint = "qsort")]
    static extern void SortByDelegate(int[] numbers, nuint count, nuint size, Comparison compare);

    [Case]
    static object DelegatesForNativeCode()
    {
        var numbers = Enumerable.Range(0, 40).Select(i => i * 17 % 40).ToArray();
        int calls = 0;
        SortByDelegate(numbers, 40, sizeof(int), (a, b) =>
        {
            if (calls++ % 20 == 0) Help.Collect();
            return *(int*)a - *(int*)b;
        });
        return $"{numbers.SequenceEqual(Enumerable.Range(0, 40))} {calls > 40}";
    }
}
