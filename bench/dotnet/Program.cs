// One load a process: Bench LOAD [ARGUMENT] [listen]. Each checks its own results and fails if one is wrong. Printed are lines `NAME FIGURE`:
// seconds, bytes, counts.
using System.Diagnostics;
using System.Globalization;
using Bench;

var words = args.ToList();
PauseListener? listener = words.Remove("listen") ? new PauseListener() : null;
int Argument() => words.Count == 2 ? int.Parse(words[1], CultureInfo.InvariantCulture) : throw new ArgumentException($"{words[0]} needs a number");
Action load = words.FirstOrDefault() switch
{
    "binary-trees" => () => BinaryTrees.Run(Argument()),
    "mixed" => () => Mixed.Run(Argument()),
    "cache" => () => Cache.Run(Argument()),
    "json" => () => Json.Run(Argument()),
    _ => throw new ArgumentException("Bench binary-trees DEPTH | mixed ROUNDS | cache ROUNDS | json ROUNDS, [listen]"),
};

long start = Stopwatch.GetTimestamp();
load();
Print("wall", Stopwatch.GetElapsedTime(start).TotalSeconds);
Pauses.Print(Print);
if (listener != null)
{
    Print("pause-longest-listened", listener.Longest().TotalSeconds);
    Print("pauses-listened", listener.Count);
}
for (int generation = 0; generation <= GC.MaxGeneration; generation++)
{
    Print($"collections-{generation}", GC.CollectionCount(generation));
}
Print("peak", PeakOfMemory());
Print("collector-mapped", CollectorIsMapped() ? 1 : 0);

static void Print(string name, double figure) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {figure}"));

static double PeakOfMemory() => 1024.0 * long.Parse(
    File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:")).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);

// Whether the library that the environment names is mapped into this process. A name with a fault in it would leave us on the runtime's own collector.
static bool CollectorIsMapped() => Environment.GetEnvironmentVariable("DOTNET_GCPath") is { Length: > 0 } path
    && File.ReadLines("/proc/self/maps").Any(line => line.EndsWith(path));
