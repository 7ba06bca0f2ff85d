using System.Runtime;

namespace Soak;

/// <summary>Requests to the collector: collections of every generation and mode, memory pressure, latency modes, regions without collections, and what it says of itself.</summary>
sealed class Requests : Load
{
    readonly object[] held = new object[1000];
    int made, lastCount;
    long lastAllocated;

    public override void Step(Random chance)
    {
        for (int i = 0; i < held.Length; i += 1 + made % 5)
        {
            held[i] = new object[] { i, $"{i}" };
        }
        switch (made++ % 8)
        {
            case 0:
                GC.Collect(chance.Next(GC.MaxGeneration + 1));
                break;
            case 1:
                GC.Collect(chance.Next(GC.MaxGeneration + 1), GCCollectionMode.Optimized);
                break;
            case 2:
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
                break;
            case 3:
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Default, blocking: false);
                break;
            case 4:
                GC.AddMemoryPressure(10_000_000);
                GC.RemoveMemoryPressure(10_000_000);
                break;
            case 5:
                GCLatencyMode before = GCSettings.LatencyMode;
                GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
                Check.That(new byte[1_000_000].Length == 1_000_000);
                GCSettings.LatencyMode = before;
                break;
            case 6:
                WithoutCollections();
                break;
            default:
                GC.WaitForPendingFinalizers();
                break;
        }
        for (int i = 0; i < held.Length; i++)
        {
            Check.That(held[i] is null or object[] { Length: 2 } && (held[i] == null || ((int)((object[])held[i])[0] == i && (string)((object[])held[i])[1] == $"{i}")));
            Check.That(held[i] == null || GC.GetGeneration(held[i]) <= GC.MaxGeneration);
        }
        Say();
        Thread.Sleep(400); // Collections without a break would leave the other loads no time.
    }

    /// <summary>Other threads allocate as they like, so it may be over before it is ended.</summary>
    static void WithoutCollections()
    {
        try
        {
            if (GC.TryStartNoGCRegion(200_000))
            {
                Check.That(new byte[1000].Length == 1000);
                GC.EndNoGCRegion();
            }
        }
        catch (InvalidOperationException)
        {
        }
    }

    void Say()
    {
        int count = GC.CollectionCount(0);
        long allocated = GC.GetTotalAllocatedBytes(made % 10 == 0);
        Check.That(count >= lastCount && allocated > 0 && (made % 10 != 0 || allocated >= lastAllocated));
        (lastCount, lastAllocated) = (count, made % 10 == 0 ? allocated : lastAllocated);
        GCMemoryInfo info = GC.GetGCMemoryInfo();
        Check.That(info.TotalAvailableMemoryBytes > 0 && info.PauseTimePercentage is >= 0 and <= 100 && info.GenerationInfo.Length > 0);
        Check.That(GC.GetTotalMemory(false) > 0 && GC.GetTotalPauseDuration() >= TimeSpan.Zero);
    }
}
