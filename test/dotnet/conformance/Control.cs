using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Conformance;

/// System.GC and GCSettings: modes, regions without collections, notifications, memory pressure, information.
static class Control
{
    [Case]
    static object CollectionModes()
    {
        int before = GC.CollectionCount(2);
        GC.Collect(2, GCCollectionMode.Forced);
        GC.Collect(2, GCCollectionMode.Default, true);
        GC.Collect(2, GCCollectionMode.Forced, true, true);
        GC.Collect(2, GCCollectionMode.Aggressive, true, true);
        int more = GC.CollectionCount(2) - before;
        GC.Collect(2, GCCollectionMode.Optimized, false);
        return more >= 4;
    }

    [Case]
    static object WrongArguments() => string.Join(" ", Help.Thrown(() => GC.Collect(-1)), Help.Thrown(() => GC.Collect(0, (GCCollectionMode)9)),
        Help.Thrown(() => GC.Collect(1, GCCollectionMode.Aggressive)), Help.Thrown(() => GC.CollectionCount(-1)), GC.CollectionCount(3),
        Help.Thrown(() => GC.SuppressFinalize(null!)), Help.Thrown(() => GC.AddMemoryPressure(0)), Help.Thrown(() => GC.TryStartNoGCRegion(0)));

    [Case]
    static object LatencyModes()
    {
        var start = GCSettings.LatencyMode;
        var seen = new List<GCLatencyMode>();
        foreach (var mode in new[] { GCLatencyMode.Batch, GCLatencyMode.Interactive, GCLatencyMode.LowLatency, GCLatencyMode.SustainedLowLatency })
        {
            GCSettings.LatencyMode = mode;
            seen.Add(GCSettings.LatencyMode);
        }
        GCSettings.LatencyMode = start;
        return $"{start}: {string.Join(" ", seen)} {Help.Thrown(() => GCSettings.LatencyMode = (GCLatencyMode)9)}";
    }

    [Case(Variable = "DOTNET_gcConcurrent=0")]
    static object LatencyModesWithoutConcurrency()
    {
        var start = GCSettings.LatencyMode;
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        var sustained = GCSettings.LatencyMode;
        GCSettings.LatencyMode = GCLatencyMode.Interactive;
        return $"{start} {sustained} {GCSettings.LatencyMode}";
    }

    [Case]
    static object CompactionOfLargeObjects()
    {
        var start = GCSettings.LargeObjectHeapCompactionMode;
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        var asked = GCSettings.LargeObjectHeapCompactionMode;
        GC.Collect(2, GCCollectionMode.Forced, true, true);
        return $"{start} {asked} {GCSettings.LargeObjectHeapCompactionMode}";
    }

    [Case]
    static object WorkstationMode() => GCSettings.IsServerGC;

    [Case]
    static object NoGCRegion()
    {
        bool started = GC.TryStartNoGCRegion(10_000_000);
        var mode = GCSettings.LatencyMode;
        int before = GC.CollectionCount(0);
        for (int i = 0; i < 5000; i++) GC.KeepAlive(new byte[1000]);
        int more = GC.CollectionCount(0) - before;
        GC.EndNoGCRegion();
        return $"{started} {mode}, {more} collections, then {GCSettings.LatencyMode}";
    }

    [Case]
    static object NoGCRegionWithLargeObjects()
    {
        bool started = GC.TryStartNoGCRegion(20_000_000, 10_000_000);
        int before = GC.CollectionCount(0);
        for (int i = 0; i < 8; i++) GC.KeepAlive(new byte[1_000_000]);
        for (int i = 0; i < 500; i++) GC.KeepAlive(new byte[1000]);
        int more = GC.CollectionCount(0) - before;
        GC.EndNoGCRegion();
        return $"{started} {more}";
    }

    [Case]
    static object NoGCRegionMisused()
    {
        string ended = Help.Thrown(GC.EndNoGCRegion);
        bool huge = GC.TryStartNoGCRegion(long.MaxValue);
        GC.TryStartNoGCRegion(1_000_000);
        string twice = Help.Thrown(() => GC.TryStartNoGCRegion(1_000_000));
        var mode = GCSettings.LatencyMode;
        return $"{ended} {huge} {twice} {mode} {Help.Thrown(GC.EndNoGCRegion)}";
    }

    [Case]
    static object NoGCRegionKeepsItsMode()
    {
        GC.TryStartNoGCRegion(1_000_000);
        string set = Help.Thrown(() => GCSettings.LatencyMode = GCLatencyMode.Batch);
        var mode = GCSettings.LatencyMode;
        GC.EndNoGCRegion();
        return $"{set} {mode}, then {GCSettings.LatencyMode}";
    }

    [Case]
    static object NoGCRegionEndedByACollection()
    {
        GC.TryStartNoGCRegion(1_000_000);
        GC.Collect();
        return $"{GCSettings.LatencyMode} {Help.Thrown(GC.EndNoGCRegion)}";
    }

    [Case]
    static object NoGCRegionCallback()
    {
        using var called = new ManualResetEventSlim();
        GC.TryStartNoGCRegion(20_000_000);
        GC.RegisterNoGCRegionCallback(1_000_000, called.Set);
        for (int i = 0; i < 10000 && !called.IsSet; i++) GC.KeepAlive(new byte[1500]);
        bool came = called.Wait(30000);
        bool within = GCSettings.LatencyMode == GCLatencyMode.NoGCRegion;
        if (within) GC.EndNoGCRegion();
        return $"{came} {within}";
    }

    [Case]
    static object MemoryPressureCollects()
    {
        int before = GC.CollectionCount(0), added = 0;
        for (; added < 5000 && GC.CollectionCount(0) == before; added++)
        {
            GC.AddMemoryPressure(50_000_000);
            Thread.Sleep(1);
        }
        bool collected = GC.CollectionCount(0) > before;
        for (int i = 0; i < added; i++) GC.RemoveMemoryPressure(50_000_000);
        return collected;
    }

    [Case]
    static object TotalMemoryFollows()
    {
        long before = GC.GetTotalMemory(true);
        var (with, weak) = Help.OnThread(() =>
        {
            var kept = Enumerable.Range(0, 100).Select(_ => new byte[100000]).ToArray();
            long with = GC.GetTotalMemory(true);
            GC.KeepAlive(kept);
            return (with, new WeakReference(kept));
        });
        Help.Dies(weak);
        return $"{with - before is >= 9_900_000 and < 13_000_000}, and back {Help.Comes(() => GC.GetTotalMemory(true) < with - 8_000_000)}";
    }

    /// After a collection it is what lives, and then what is allocated comes to it; both but for a window.
    [Case]
    static object TotalMemoryIsWhatLives() => Help.OnThread(() =>
    {
        const int count = 50_000, window = 100_000;
        long before = GC.GetTotalMemory(true);
        var kept = Enumerable.Range(0, count).Select(_ => new byte[80]).ToArray(); // 104 bytes each, and 8 for its place
        long all = GC.GetTotalMemory(true) - before;
        for (int i = 0; i < count; i++) if (i % 10 != 0) kept[i] = null!;
        long tenth = GC.GetTotalMemory(true) - before;
        var info = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        long said = info.HeapSizeBytes - info.FragmentedBytes - before;
        for (int i = 0; i < 1000; i++) GC.KeepAlive(new byte[976]);
        long more = GC.GetTotalMemory(false) - before - tenth;
        GC.KeepAlive(kept);
        return string.Join(" ", Math.Abs(all - count * 112) < window, Math.Abs(tenth - count * 112 + count * 9 / 10 * 104) < window, Math.Abs(said - tenth) < window,
            more < 1_000_000 + window);
    });

    [Case]
    static object MemoryInformation()
    {
        var pinned = GCHandle.Alloc(new byte[10], GCHandleType.Pinned);
        GC.Collect();
        var info = GC.GetGCMemoryInfo(GCKind.Any);
        pinned.Free();
        return string.Join(" ", info.HeapSizeBytes > 0, info.TotalAvailableMemoryBytes > 100_000_000, info.HighMemoryLoadThresholdBytes > 0,
            info.MemoryLoadBytes > 0, info.TotalCommittedBytes >= info.HeapSizeBytes, info.FragmentedBytes <= info.HeapSizeBytes, info.PinnedObjectsCount >= 1,
            info.Index > 0, info.Generation, info.GenerationInfo.Length, info.PauseDurations.Length, info.PauseDurations[0] > TimeSpan.Zero,
            info.PauseTimePercentage is >= 0 and <= 100);
    }

    [Case]
    static object MemoryInformationByKind()
    {
        GC.Collect(0);
        var young = GC.GetGCMemoryInfo(GCKind.Ephemeral);
        GC.Collect(2, GCCollectionMode.Forced, true);
        var full = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        return $"{young.Generation < 2} {full.Generation} {full.Index > young.Index} {full.Concurrent} {GC.GetGCMemoryInfo(GCKind.Any).Index >= full.Index} {Help.Thrown(() => GC.GetGCMemoryInfo((GCKind)7))}";
    }

    [Case]
    static object MemoryInformationOfGenerations()
    {
        var kept = new byte[3_000_000];
        var pinned = GC.AllocateArray<byte>(100_000, pinned: true);
        GC.Collect(2, GCCollectionMode.Forced, true);
        var info = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        long all = 0;
        foreach (var each in info.GenerationInfo) all += each.SizeAfterBytes;
        string result = $"{info.GenerationInfo[3].SizeAfterBytes >= 3_000_000} {info.GenerationInfo[4].SizeAfterBytes >= 100_000} {Math.Abs(all - info.HeapSizeBytes) <= all / 10}";
        GC.KeepAlive(kept);
        GC.KeepAlive(pinned);
        return result;
    }

    [Case]
    static object FinalizersPendingAreCounted()
    {
        using var go = new ManualResetEventSlim();
        Help.OnThread(() => { for (int i = 0; i < 10; i++) new Waiting(go); });
        GC.Collect(2, GCCollectionMode.Forced, true);
        long pending = GC.GetGCMemoryInfo(GCKind.FullBlocking).FinalizationPendingCount;
        go.Set();
        GC.WaitForPendingFinalizers();
        return pending >= 9;
    }

    sealed class Waiting(ManualResetEventSlim go)
    {
        ~Waiting() => go.Wait();
    }

    [Case]
    static object PauseDurationGrows()
    {
        var before = GC.GetTotalPauseDuration();
        for (int i = 0; i < 3; i++) GC.Collect();
        var after = GC.GetTotalPauseDuration();
        return $"{after > before} {after - before < TimeSpan.FromSeconds(60)}";
    }

    [Case]
    static object ConfigurationVariables()
    {
        var variables = GC.GetConfigurationVariables();
        return $"{variables.Count > 0} {variables.TryGetValue("ServerGC", out object? server)} {server}";
    }

    [Case]
    static object MemoryLimitIsRefreshed()
    {
        GC.RefreshMemoryLimit();
        return true;
    }

    [Case]
    static object NotificationsWithConcurrency()
    {
        string registered = Help.Thrown(() => GC.RegisterForFullGCNotification(10, 10));
        return $"{registered} {GC.WaitForFullGCApproach(10)} {Help.Thrown(GC.CancelFullGCNotification)}";
    }

    [Case(Variable = "DOTNET_gcConcurrent=0")]
    static object Notifications()
    {
        GC.RegisterForFullGCNotification(10, 10);
        GCNotificationStatus approach = 0, complete = 0;
        var waiting = new Thread(() =>
        {
            approach = GC.WaitForFullGCApproach(50000);
            complete = GC.WaitForFullGCComplete(50000);
        });
        waiting.Start();
        var kept = new List<byte[]>();
        for (int i = 0; i < 20000 && waiting.IsAlive; i++)
        {
            kept.Add(new byte[200_000]);
            if (kept.Count > 500) kept.Clear();
        }
        waiting.Join();
        GC.CancelFullGCNotification();
        return $"{approach} {complete}";
    }

    [Case(Variable = "DOTNET_gcConcurrent=0")]
    static object NotificationsThatAreCancelledOrLate()
    {
        GC.RegisterForFullGCNotification(10, 10);
        var late = GC.WaitForFullGCApproach(10);
        GCNotificationStatus cancelled = 0;
        var waiting = new Thread(() => cancelled = GC.WaitForFullGCApproach(50000));
        waiting.Start();
        Thread.Sleep(200);
        GC.CancelFullGCNotification();
        waiting.Join();
        return $"{late} {cancelled} {Help.Thrown(() => GC.WaitForFullGCApproach(-5))}";
    }

    [Case]
    static object MemoryFailPoints()
    {
        string huge = Help.Thrown(() => new MemoryFailPoint(int.MaxValue).Dispose());
        using var point = new MemoryFailPoint(10);
        return huge is "InsufficientMemoryException" or "nothing";
    }
}
