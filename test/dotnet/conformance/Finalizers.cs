using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;
using System.Threading;

namespace Conformance;

static class Finalizers
{
    /// Counts its finalizers; in `Seen` is what they were given.
    class Noted(Log log, int id = 0)
    {
        public readonly int Id = id;
        public object? Other;
        ~Noted() => log.Note(this);
    }

    class Log
    {
        public readonly List<int> Ids = [];
        public Action<Noted>? Then;
        public int Count { get { lock (Ids) return Ids.Count; } }
        public void Note(Noted noted)
        {
            lock (Ids) Ids.Add(noted.Id);
            Then?.Invoke(noted);
        }
        public bool Reaches(int count) => Help.Comes(() => Count >= count);
    }

    [Case]
    static object RunOnce()
    {
        var log = new Log();
        Help.OnThread(() => { new Noted(log); });
        bool ran = log.Reaches(1);
        Help.Collect();
        Help.Collect();
        return $"{ran}, {log.Count} times";
    }

    [Case]
    static object RunForEach()
    {
        var log = new Log();
        Help.OnThread(() => { for (int i = 0; i < 1000; i++) new Noted(log, i); });
        return $"{log.Reaches(1000)}, {log.Ids.Distinct().Count()} distinct";
    }

    [Case]
    static object NotWhileReachable()
    {
        var log = new Log();
        var kept = Enumerable.Range(0, 100).Select(i => new Noted(log, i)).ToArray();
        for (int i = 0; i < 3; i++) Help.Collect();
        int before = log.Count;
        GC.KeepAlive(kept);
        return before;
    }

    [Case]
    static object OnAThreadOfTheirOwn()
    {
        var log = new Log();
        int main = Environment.CurrentManagedThreadId, other = main;
        bool background = false;
        log.Then = _ => (other, background) = (Environment.CurrentManagedThreadId, Thread.CurrentThread.IsBackground);
        Help.OnThread(() => { new Noted(log); });
        return $"{log.Reaches(1)} {other != main} {background}";
    }

    [Case]
    static object WhatTheyReferToIsThere()
    {
        var log = new Log();
        int right = 0;
        log.Then = noted => { if (noted.Other is int[] numbers && numbers[0] == noted.Id && numbers.Length == 10) Interlocked.Increment(ref right); };
        Help.OnThread(() => { for (int i = 0; i < 200; i++) { var numbers = new int[10]; numbers[0] = i; new Noted(log, i) { Other = numbers }; } });
        return $"{log.Reaches(200)} {right}";
    }

    [Case]
    static object Suppressed()
    {
        var log = new Log();
        var weak = Help.OnThread(() =>
        {
            var noted = new Noted(log);
            GC.SuppressFinalize(noted);
            return new WeakReference(noted, true);
        });
        return $"dies {Help.Dies(weak)}, {log.Count} ran";
    }

    [Case]
    static object SuppressedAndRegisteredAgain()
    {
        var log = new Log();
        Help.OnThread(() =>
        {
            var noted = new Noted(log);
            GC.SuppressFinalize(noted);
            GC.ReRegisterForFinalize(noted);
        });
        bool ran = log.Reaches(1);
        Help.Collect();
        return $"{ran} {log.Count}";
    }

    [Case]
    static object RegisteredTwiceRunsTwice()
    {
        var log = new Log();
        Help.OnThread(() => { GC.ReRegisterForFinalize(new Noted(log)); });
        bool ran = log.Reaches(2);
        Help.Collect();
        return $"{ran} {log.Count}";
    }

    [Case]
    static object Resurrected()
    {
        var log = new Log();
        Noted? saved = null;
        log.Then = noted => saved = noted;
        Help.OnThread(() => { new Noted(log, 5) { Other = $"{new string('r', 3)}" }; });
        bool ran = log.Reaches(1);
        Help.Collect();
        Help.Churn();
        bool intact = saved!.Id == 5 && (string)saved.Other! == "rrr";
        var weak = Help.OnThread(() => new WeakReference(saved, true));
        saved = null;
        return $"{ran} {intact}, then dies {Help.Dies(weak)}, {log.Count} ran";
    }

    [Case]
    static object ResurrectedAndRegisteredAgain()
    {
        var log = new Log();
        log.Then = noted => { if (log.Count < 4) GC.ReRegisterForFinalize(noted); };
        var weak = Help.OnThread(() => new WeakReference(new Noted(log), true));
        return $"dies {Help.Dies(weak)}, {log.Count} ran";
    }

    [Case]
    static object ACycleOfFinalizers()
    {
        var log = new Log();
        Help.OnThread(() =>
        {
            var ring = Enumerable.Range(0, 50).Select(i => new Noted(log, i)).ToArray();
            for (int i = 0; i < 50; i++) ring[i].Other = ring[(i + 1) % 50];
        });
        return $"{log.Reaches(50)}, {log.Ids.Distinct().Count()} distinct";
    }

    sealed class Critical(List<string> order) : CriticalFinalizerObject
    {
        ~Critical() { lock (order) order.Add("critical"); }
    }

    sealed class Ordinary(List<string> order)
    {
        ~Ordinary() { lock (order) order.Add("ordinary"); }
    }

    [Case]
    static object CriticalOnesComeLast()
    {
        var order = new List<string>();
        using var go = new ManualResetEventSlim();
        var log = new Log { Then = _ => go.Wait() };
        // The finalizer's thread waits, until both kinds are due.
        Help.OnThread(() => { new Noted(log); });
        GC.Collect();
        if (!Help.Waits(() => log.Count == 1)) return "no finalizer came";
        Help.OnThread(() => { for (int i = 0; i < 20; i++) { new Critical(order); new Ordinary(order); } });
        GC.Collect();
        go.Set();
        bool ran = Help.Comes(() => { lock (order) return order.Count == 40; });
        return $"{ran}, {order.Count(each => each == "critical")} critical, the last of them at the end {order[^1] == "critical"}";
    }

    [Case]
    static object TheyMayAllocateAndCollect()
    {
        var log = new Log();
        log.Then = noted =>
        {
            Help.Churn(100);
            if (noted.Id % 10 == 0) GC.Collect();
        };
        Help.OnThread(() => { for (int i = 0; i < 100; i++) new Noted(log, i); });
        return log.Reaches(100);
    }

    [Case]
    static object TheyMayMakeMore()
    {
        var log = new Log();
        log.Then = noted => { if (noted.Id > 0) new Noted(log, noted.Id - 1); };
        Help.OnThread(() => { new Noted(log, 10); });
        return $"{log.Reaches(11)} {string.Join(" ", log.Ids)}";
    }

    sealed class Throwing(Log log)
    {
        readonly Noted inner = new(log, 1);
        public Noted Inner => inner;
        ~Throwing()
        {
            try
            {
                throw new InvalidOperationException("in a finalizer");
            }
            catch (InvalidOperationException)
            {
                log.Note(inner);
            }
        }
    }

    [Case]
    static object TheyMayThrowWithinThemselves()
    {
        var log = new Log();
        Help.OnThread(() => { for (int i = 0; i < 20; i++) new Throwing(log); });
        return log.Reaches(40);
    }

    sealed class Handle(Log log) : SafeHandle(0, true)
    {
        readonly Noted? unused = null;
        public override bool IsInvalid => false;
        protected override bool ReleaseHandle()
        {
            lock (log.Ids) log.Ids.Add(1);
            return unused == null;
        }
    }

    [Case]
    static object SafeHandles()
    {
        var log = new Log();
        Help.OnThread(() =>
        {
            for (int i = 0; i < 10; i++) new Handle(log);
            new Handle(log).Dispose();
        });
        return $"{log.Reaches(11)} {log.Count}";
    }

    [Case]
    static object PendingOnesAreWaitedFor()
    {
        var log = new Log();
        log.Then = _ => Thread.Sleep(20);
        Help.OnThread(() => { for (int i = 0; i < 10; i++) new Noted(log); });
        GC.Collect();
        GC.WaitForPendingFinalizers();
        int first = log.Count;
        return $"{first > 0 || log.Reaches(1)}, all {log.Reaches(10)}, and none is left {log.Count == 10}";
    }

    [Case]
    static object LargeObjectsWithFinalizersInside()
    {
        var log = new Log();
        Help.OnThread(() =>
        {
            var large = new Noted[20000];
            for (int i = 0; i < 20; i++) large[i * 1000] = new Noted(log, i) { Other = large };
        });
        return log.Reaches(20);
    }

    class Base(Log log)
    {
        protected readonly Noted Note = new(log, 7);
        ~Base() => log.Note(Note);
    }

    sealed class Sub(Log log) : Base(log)
    {
        ~Sub() => Note.Other = "sub first";
    }

    [Case]
    static object OfADerivedClassFirst()
    {
        var log = new Log();
        int first = 0;
        log.Then = noted => { if (noted.Other is "sub first") Interlocked.Increment(ref first); };
        Help.OnThread(() => { for (int i = 0; i < 10; i++) new Sub(log); });
        return $"{Help.Comes(() => log.Count >= 20)} {first >= 10}";
    }
}
