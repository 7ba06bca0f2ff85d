using System;
using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;

namespace Conformance;

/// Threads, tasks, exceptions: code of all kinds, stopped at any moment.
static class Threads
{
    sealed class Node(int value)
    {
        public readonly int Value = value;
        public Node? Left, Right;
        public int Count => 1 + (Left?.Count ?? 0) + (Right?.Count ?? 0);
    }

    static Node Tree(int depth) => depth == 0 ? new Node(0) : new Node(depth) { Left = Tree(depth - 1), Right = Tree(depth - 1) };

    [Case]
    static object AllAllocate()
    {
        var counts = new int[4];
        var threads = Enumerable.Range(0, 4).Select(id => new Thread(() =>
        {
            for (int i = 0; i < 20; i++) counts[id] += Tree(10).Count;
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return string.Join(" ", counts);
    }

    [Case]
    static object SomeAllocateOthersCollect()
    {
        bool stop = false;
        var collector = new Thread(() => { for (int i = 0; i < 60 && !Volatile.Read(ref stop); i++) GC.Collect(i % 3); });
        collector.Start();
        int sum = 0;
        for (int i = 0; i < 30; i++) sum += Tree(10).Count;
        Volatile.Write(ref stop, true);
        collector.Join();
        return sum;
    }

    [Case]
    static object AllCollectAtOnce()
    {
        var threads = Enumerable.Range(0, 4).Select(id => new Thread(() => { for (int i = 0; i < 25; i++) GC.Collect((i + id) % 3); })).ToArray();
        foreach (var thread in threads) thread.Start();
        var kept = Tree(12);
        foreach (var thread in threads) thread.Join();
        return kept.Count;
    }

    [Case]
    static object LoopsWithoutCallsAreStopped()
    {
        bool stop = false;
        long count = 0;
        var spinning = new Thread(() =>
        {
            while (!Volatile.Read(ref stop)) count++;
        });
        spinning.Start();
        for (int i = 0; i < 10; i++) Help.Collect();
        Volatile.Write(ref stop, true);
        spinning.Join();
        return count > 0;
    }

    [Case]
    static object ManyThreadsComeAndGo()
    {
        int sum = 0;
        for (int round = 0; round < 10; round++)
        {
            var threads = Enumerable.Range(0, 20).Select(i => new Thread(() => Interlocked.Add(ref sum, Tree(4).Count))).ToArray();
            foreach (var thread in threads) thread.Start();
            GC.Collect(round % 3);
            foreach (var thread in threads) thread.Join();
        }
        return sum;
    }

    [Case]
    static object HandedFromThreadToThread()
    {
        var channel = Channel.CreateBounded<Node>(100);
        var producer = Task.Run(async () =>
        {
            for (int i = 0; i < 3000; i++) await channel.Writer.WriteAsync(new Node(i) { Left = new Node(-i) });
            channel.Writer.Complete();
        });
        var consumer = Task.Run(async () =>
        {
            int right = 0;
            await foreach (var node in channel.Reader.ReadAllAsync()) if (node.Left!.Value == -node.Value) right++;
            return right;
        });
        for (int i = 0; i < 5; i++) GC.Collect(i % 3);
        return consumer.Result;
    }

    [Case]
    static object ParallelLoops()
    {
        var bag = new ConcurrentDictionary<int, string>();
        Parallel.For(0, 5000, i => bag[i] = string.Concat(Enumerable.Range(0, i % 10).Select(j => $"{i}-{j};")));
        return $"{bag.Count} {bag.Sum(each => each.Value.Length)}";
    }

    [Case]
    static object QueriesInParallel() => Enumerable.Range(0, 20000).AsParallel().Select(i => $"{i}").Where(text => text.EndsWith('7')).Select(text => (text, text.Length)).Sum(each => each.Length);

    static async Task<int> Descend(int depth)
    {
        var own = new int[] { depth };
        if (depth == 0)
        {
            await Task.Yield();
            Help.Collect();
            return 0;
        }
        int below = await Descend(depth - 1);
        return below + (own[0] == depth ? 1 : 0);
    }

    [Case]
    static object DeepAsync() => Descend(500).Result;

    [Case]
    static object ManyTasks()
    {
        async Task<int> Work(int id)
        {
            var kept = new List<string>();
            for (int i = 0; i < 20; i++)
            {
                kept.Add($"{id}:{i}");
                await Task.Yield();
            }
            return kept.Where((each, i) => each == $"{id}:{i}").Count();
        }
        return Task.WhenAll(Enumerable.Range(0, 300).Select(Work)).Result.Sum();
    }

    static async IAsyncEnumerable<string> Stream(int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (i % 10 == 0) await Task.Yield();
            yield return $"{i}";
        }
    }

    [Case]
    static object AsyncStreams()
    {
        async Task<int> Sum()
        {
            int sum = 0;
            await foreach (string each in Stream(500))
            {
                sum += int.Parse(each);
                if (sum % 100 == 0) GC.Collect(0);
            }
            return sum;
        }
        return Sum().Result;
    }

    [Case]
    static object UnobservedTasksAreFinalized()
    {
        int seen = 0;
        EventHandler<UnobservedTaskExceptionEventArgs> handler = (_, arguments) =>
        {
            arguments.SetObserved();
            Interlocked.Increment(ref seen);
        };
        TaskScheduler.UnobservedTaskException += handler;
        Help.OnThread(() =>
        {
            var task = Task.Factory.StartNew(() => throw new InvalidOperationException(), TaskCreationOptions.LongRunning);
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
        });
        bool came = Help.Comes(() => Volatile.Read(ref seen) > 0);
        TaskScheduler.UnobservedTaskException -= handler;
        return came;
    }

    [Case]
    static object Timers()
    {
        int ticks = 0;
        using var timer = new Timer(_ => { GC.KeepAlive(Tree(5)); Interlocked.Increment(ref ticks); }, null, 0, 1);
        return Help.Waits(() => { GC.Collect(0); return Volatile.Read(ref ticks) >= 10; });
    }

    [Case]
    static object RentedArrays()
    {
        int wrong = 0;
        Parallel.For(0, 2000, i =>
        {
            var bytes = ArrayPool<byte>.Shared.Rent(1000 + i);
            bytes.AsSpan().Fill((byte)i);
            if (i % 200 == 0) GC.Collect(2);
            if (bytes.AsSpan().ContainsAnyExcept((byte)i)) Interlocked.Increment(ref wrong);
            ArrayPool<byte>.Shared.Return(bytes);
        });
        return wrong;
    }

    [Case]
    static object LocksUnderCollection()
    {
        var gate = new object();
        int count = 0;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 5000; i++)
                lock (gate)
                {
                    count++;
                    GC.KeepAlive(new object());
                }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        for (int i = 0; i < 10; i++) GC.Collect(i % 3);
        foreach (var thread in threads) thread.Join();
        return count;
    }

    [Case]
    static object WaitersUnderCollection()
    {
        var gate = new object();
        int woken = 0;
        var threads = Enumerable.Range(0, 5).Select(_ => new Thread(() =>
        {
            lock (gate)
            {
                Monitor.Wait(gate);
                woken++;
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        Help.Waits(() => threads.All(each => (each.ThreadState & ThreadState.WaitSleepJoin) != 0));
        Help.Collect();
        lock (gate) Monitor.PulseAll(gate);
        foreach (var thread in threads) thread.Join();
        return woken;
    }

    sealed class Failure(string message, object payload) : Exception(message)
    {
        public readonly object Payload = payload;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Throw(int depth)
    {
        var own = new int[] { depth };
        try
        {
            if (depth == 0) throw new Failure($"at {own[0]}", new int[] { 42 });
            Throw(depth - 1);
        }
        finally
        {
            if (depth % 10 == 0) GC.Collect(0);
            if (own[0] != depth) Environment.FailFast("a local variable was lost");
        }
    }

    [Case]
    static object ExceptionsThroughManyFrames()
    {
        try
        {
            Throw(100);
            return "nothing";
        }
        catch (Failure failure) when (Filter(failure))
        {
            Help.Collect();
            Help.Churn();
            return $"{failure.Message} {((int[])failure.Payload)[0]} {failure.StackTrace!.Split('\n').Length > 50}";
        }
    }

    static bool Filter(Failure failure)
    {
        Help.Collect();
        return failure.Payload is int[];
    }

    [Case]
    static object ExceptionsWithinExceptions()
    {
        Exception? outer = null;
        for (int i = 0; i < 50; i++)
        {
            try
            {
                try
                {
                    throw new Failure($"{i}", new object());
                }
                catch (Failure failure)
                {
                    if (i % 10 == 0) Help.Collect();
                    throw new InvalidOperationException($"around {i}", outer ?? failure);
                }
            }
            catch (InvalidOperationException exception)
            {
                outer = exception;
            }
        }
        Help.Collect();
        int depth = 0;
        for (var each = outer; each != null; each = each.InnerException) depth++;
        return $"{depth} {outer!.Message}";
    }

    [Case]
    static object ErrorsOfTheProcessorAreExceptions()
    {
        object? nothing = Environment.TickCount64 < 0 ? "" : null;
        int zero = Environment.TickCount64 < 0 ? 1 : 0;
        var array = new int[3];
        return string.Join(" ", Help.Thrown(() => nothing!.ToString()), Help.Thrown(() => (1 / zero).ToString()), Help.Thrown(() => array[zero + 5]++),
            Help.Thrown(() => ((string)(object)array).ToString()), Help.Thrown(() => ((object[])new string[1])[0] = array));
    }

    [Case]
    static object ManyExceptions()
    {
        int caught = 0;
        Parallel.For(0, 500, i =>
        {
            try
            {
                throw new Failure($"{i}", new byte[i]);
            }
            catch (Failure failure) when (((byte[])failure.Payload).Length == i)
            {
                Interlocked.Increment(ref caught);
            }
        });
        return caught;
    }
}
