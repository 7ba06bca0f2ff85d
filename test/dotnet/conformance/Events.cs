using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using System.Linq;
using System.Runtime.InteropServices;

namespace Conformance;

/// What a program, or dotnet-counters beside it, sees of the collector.
static class Events
{
    const string Runtime = "Microsoft-Windows-DotNETRuntime";
    const EventKeywords Collections = (EventKeywords)0x1, CollectionsAndHandles = (EventKeywords)0x3, HeapDump = (EventKeywords)0x1980001;

    sealed class Listener(string source, EventKeywords keywords, EventLevel level, Dictionary<string, string?>? arguments) : EventListener
    {
        public readonly HashSet<string> Names = [];
        public readonly Dictionary<string, double> Counters = [];
        readonly Dictionary<string, long> counts = []; // what events of a name say of how many things they are
        bool collecting;
        public bool DumpedOutside { get; private set; } // a part of a heap dump that came between two collections

        protected override void OnEventSourceCreated(EventSource created)
        {
            if (created.Name == source) EnableEvents(created, level, keywords, arguments);
        }

        protected override void OnEventWritten(EventWrittenEventArgs written)
        {
            lock (Names)
            {
                Names.Add(written.EventName!);
                if (written.PayloadNames!.IndexOf("Count") is var at and >= 0)
                    counts[written.EventName!] = counts.GetValueOrDefault(written.EventName!) + Convert.ToInt64(written.Payload![at]);
                if (written.EventName is "GCStart_V2" or "GCEnd_V1") collecting = written.EventName == "GCStart_V2";
                if (written.EventName is "GCBulkNode" or "GCBulkEdge" && !collecting) DumpedOutside = true;
                if (written.EventName == "EventCounters" && written.Payload![0] is IDictionary<string, object> payload)
                    Counters[(string)payload["Name"]] = Convert.ToDouble(payload.TryGetValue("Mean", out object? mean) ? mean : payload["Increment"]);
            }
        }

        public bool Has(params string[] names)
        {
            lock (Names) return names.All(Names.Contains);
        }

        public bool HasAsMany(string name, long count)
        {
            lock (Names) return counts.GetValueOrDefault(name) >= count;
        }

        public bool HasCounters(params string[] names)
        {
            lock (Names) return names.All(Counters.ContainsKey);
        }

        public bool MakesSense(string name)
        {
            lock (Names) return Counters.TryGetValue(name, out double value) && value >= 0 && double.IsFinite(value);
        }
    }

    /// Listeners of both kinds are closed before the next case begins.
    static Listener Listen(string source, EventKeywords keywords, EventLevel level = EventLevel.Informational, Dictionary<string, string?>? arguments = null)
    {
        // The base class's constructor looks for sources before this class's fields are set, so sources are looked for again.
        var listener = new Listener(source, keywords, level, arguments);
        foreach (var each in EventSource.GetSources().Where(each => each.Name == source))
            listener.EnableEvents(each, level, keywords, arguments);
        return listener;
    }

    [Case]
    static object CollectionsAreSeen()
    {
        using var listener = Listen(Runtime, Collections);
        return Help.Comes(() => listener.Has("GCStart_V2", "GCEnd_V1", "GCHeapStats_V2"));
    }

    sealed class Link
    {
        public Link? Next;
    }

    /// As dotnet-gcdump asks for it: a collection, and before its end all objects, what they refer to and what holds them.
    [Case]
    static object HeapIsDumped()
    {
        Link? chain = null;
        for (int i = 0; i < 5000; i++) chain = new Link { Next = chain };
        using var listener = Listen(Runtime, HeapDump);
        bool came = Help.Waits(() => listener.HasAsMany("GCBulkNode", 5000) && listener.HasAsMany("GCBulkEdge", 4999) && listener.Has("GCBulkRootEdge", "BulkType", "GCEnd_V1"));
        GC.KeepAlive(chain);
        return $"{came} {listener.DumpedOutside}";
    }

    [Case]
    static object AllocationsAreSeen()
    {
        using var listener = Listen(Runtime, Collections, EventLevel.Verbose);
        return Help.Comes(() =>
        {
            for (int i = 0; i < 10000; i++) GC.KeepAlive(new byte[100]);
            return listener.Has("GCAllocationTick_V4");
        });
    }

    [Case]
    static object SuspensionsAreSeen()
    {
        using var listener = Listen(Runtime, Collections);
        return Help.Comes(() => listener.Has("GCSuspendEEBegin_V1", "GCSuspendEEEnd_V1", "GCRestartEEBegin_V1", "GCRestartEEEnd_V1"));
    }

    [Case]
    static object HistoriesAreSeen()
    {
        using var listener = Listen(Runtime, Collections);
        bool came = Help.Comes(() => listener.Has("GCPerHeapHistory_V3", "GCGlobalHeapHistory_V4"));
        return $"{came} {listener.HasAsMany("GCPerHeapHistory_V3", 5)}";
    }

    [Case]
    static object HandlesAreSeen()
    {
        using var listener = Listen(Runtime, CollectionsAndHandles);
        return Help.Comes(() =>
        {
            var handle = GCHandle.Alloc(new object(), GCHandleType.Weak);
            handle.Target = new object();
            handle.Free();
            return listener.Has("SetGCHandle", "DestroyGCHandle");
        });
    }

    [Case]
    static object Counters()
    {
        using var listener = Listen("System.Runtime", EventKeywords.All, arguments: new() { ["EventCounterIntervalSec"] = "0.1" });
        string[] names = ["gc-heap-size", "gen-0-gc-count", "gen-1-gc-count", "gen-2-gc-count", "gen-0-size", "gen-1-size", "gen-2-size", "loh-size", "poh-size",
            "time-in-gc", "alloc-rate", "gc-fragmentation", "gc-committed"];
        // Before the first collection some of them are nothing. The stock collector can tell of less than nothing where there is little.
        byte[] kept = new byte[8 << 20];
        bool came = Help.Comes(() => listener.HasCounters(names) && names.All(listener.MakesSense) && listener.Counters["gc-heap-size"] > 0);
        GC.KeepAlive(kept);
        return $"{came}, {names.Count(listener.MakesSense)} make sense";
    }

    [Case]
    static object Meters()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter.Name == "System.Runtime") self.EnableMeasurementEvents(instrument); } };
        void Add(Instrument instrument, double value)
        {
            lock (seen) seen[instrument.Name] = seen.GetValueOrDefault(instrument.Name) + value;
        }
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument, value));
        listener.Start();
        GC.Collect();
        listener.RecordObservableInstruments();
        string[] names = ["dotnet.gc.collections", "dotnet.gc.heap.total_allocated", "dotnet.gc.last_collection.memory.committed_size",
            "dotnet.gc.last_collection.heap.size", "dotnet.gc.last_collection.heap.fragmentation.size", "dotnet.gc.pause.time"];
        return string.Join(" ", names.Select(name => seen.TryGetValue(name, out double value) && (value > 0 || name.Contains("fragmentation"))));
    }
}
