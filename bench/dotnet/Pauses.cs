using System.Diagnostics.Tracing;

namespace Bench;

/// <summary>
/// The longest pause, by the collector's own account, which any collector gives through GC.GetGCMemoryInfo. That tells of the latest collection only, so a load calls Look after every
/// few objects, which costs a call and a comparison, and asks once the number of collections has changed. Collections of which no account was seen, since another had ended before
/// somebody looked, are counted; the pauses that they had together are known from the total.
/// </summary>
static class Pauses
{
    static readonly Lock entry = new();
    static volatile int collections = GC.CollectionCount(0);
    static long latest = GC.GetGCMemoryInfo(GCKind.Any).Index, latestInBackground = GC.GetGCMemoryInfo(GCKind.Background).Index;
    static long seen;
    static TimeSpan longest;
    static readonly long before = latest;

    public static void Look()
    {
        if (GC.CollectionCount(0) != collections)
        {
            Ask();
        }
    }

    static void Ask()
    {
        lock (entry)
        {
            collections = GC.CollectionCount(0);
            Note(GC.GetGCMemoryInfo(GCKind.Any), ref latest);
            Note(GC.GetGCMemoryInfo(GCKind.Background), ref latestInBackground);
        }
    }

    static void Note(GCMemoryInfo info, ref long last)
    {
        if (info.Index == last)
        {
            return;
        }
        last = info.Index;
        seen++;
        foreach (TimeSpan pause in info.PauseDurations)
        {
            longest = pause > longest ? pause : longest;
        }
    }

    public static void Print(Action<string, double> print)
    {
        Ask();
        print("pause-total", GC.GetTotalPauseDuration().TotalSeconds);
        print("pause-longest", longest.TotalSeconds);
        print("pauses-missed", Math.Max(0, Math.Max(latest, latestInBackground) - before - seen));
    }
}

/// <summary>
/// The longest pause by the account of the runtime itself, which stops the threads and starts them again whatever the collector is: from the event before the one to the event after the other.
/// </summary>
sealed class PauseListener : EventListener
{
    const int RestartEnd = 3, SuspendBegin = 9;
    const EventKeywords Collections = (EventKeywords)1;

    readonly List<TimeSpan> pauses = [];
    DateTime stopped;

    public int Count
    {
        get
        {
            lock (pauses)
            {
                return pauses.Count;
            }
        }
    }

    /// <summary>Events are delivered by a thread of the runtime's, some time later: waits for it.</summary>
    public TimeSpan Longest()
    {
        for (int count = -1; count != Count; Thread.Sleep(300))
        {
            count = Count;
        }
        lock (pauses)
        {
            return pauses.DefaultIfEmpty().Max();
        }
    }

    protected override void OnEventSourceCreated(EventSource source)
    {
        if (source.Name == "Microsoft-Windows-DotNETRuntime")
        {
            EnableEvents(source, EventLevel.Informational, Collections);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs written)
    {
        lock (pauses)
        {
            if (written.EventId == SuspendBegin)
            {
                stopped = written.TimeStamp;
            }
            else if (written.EventId == RestartEnd && stopped != default)
            {
                pauses.Add(written.TimeStamp - stopped);
                stopped = default;
            }
        }
    }
}
