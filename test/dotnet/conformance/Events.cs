using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using System.Linq;

namespace Conformance;

/// What a program, or dotnet-counters beside it, sees of the collector.
static class Events
{
    sealed class Listener(string source, EventKeywords keywords, Dictionary<string, string?>? arguments = null) : EventListener
    {
        public readonly HashSet<string> Names = [];
        public readonly Dictionary<string, double> Counters = [];

        protected override void OnEventSourceCreated(EventSource created)
        {
            if (created.Name == source) EnableEvents(created, EventLevel.Informational, keywords, arguments);
        }

        protected override void OnEventWritten(EventWrittenEventArgs written)
        {
            lock (Names)
            {
                Names.Add(written.EventName!);
                if (written.EventName == "EventCounters" && written.Payload![0] is IDictionary<string, object> payload)
                    Counters[(string)payload["Name"]] = Convert.ToDouble(payload.TryGetValue("Mean", out object? mean) ? mean : payload["Increment"]);
            }
        }

        public bool Has(params string[] names)
        {
            lock (Names) return names.All(Names.Contains);
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
    static Listener Listen(string source, EventKeywords keywords, Dictionary<string, string?>? arguments = null)
    {
        // The base class's constructor looks for sources before this class's fields are set, so sources are looked for again.
        var listener = new Listener(source, keywords, arguments);
        foreach (var each in EventSource.GetSources().Where(each => each.Name == source))
            listener.EnableEvents(each, EventLevel.Informational, keywords, arguments);
        return listener;
    }

    [Case]
    static object CollectionsAreSeen()
    {
        using var listener = Listen("Microsoft-Windows-DotNETRuntime", (EventKeywords)1);
        return Help.Comes(() => listener.Has("GCStart_V2", "GCEnd_V1", "GCHeapStats_V2"));
    }

    [Case]
    static object SuspensionsAreSeen()
    {
        using var listener = Listen("Microsoft-Windows-DotNETRuntime", (EventKeywords)1);
        return Help.Comes(() => listener.Has("GCSuspendEEBegin_V1", "GCSuspendEEEnd_V1", "GCRestartEEBegin_V1", "GCRestartEEEnd_V1"));
    }

    [Case]
    static object Counters()
    {
        using var listener = Listen("System.Runtime", EventKeywords.All, new() { ["EventCounterIntervalSec"] = "0.1" });
        string[] names = ["gc-heap-size", "gen-0-gc-count", "gen-1-gc-count", "gen-2-gc-count", "gen-0-size", "gen-1-size", "gen-2-size", "loh-size", "poh-size",
            "time-in-gc", "alloc-rate", "gc-fragmentation", "gc-committed"];
        // Before the first collection some of them are nothing.
        bool came = Help.Comes(() => listener.HasCounters(names) && names.All(listener.MakesSense) && listener.Counters["gc-heap-size"] > 0);
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
