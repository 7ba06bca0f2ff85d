using System.Diagnostics;

namespace Soak;

/// <summary>Runs the loads at once, one thread each, and looks at the memory in each tenth of the time.</summary>
static class Mixed
{
    static readonly Dictionary<string, Func<Load>> kinds = new()
    {
        ["shapes"] = () => new Shapes(),
        ["threads"] = () => new Threads(),
        ["finalizers"] = () => new Finalizers(),
        ["handles"] = () => new Handles(),
        ["pinned"] = () => new Pinned(),
        ["large"] = () => new Large(),
        ["exceptions"] = () => new Exceptions(),
        ["async"] = () => new Async(),
        ["contexts"] = () => new Contexts(),
        ["documents"] = () => new Documents(),
        ["parallel"] = () => new Parallels(),
        ["requests"] = () => new Requests(),
    };

    sealed class Worker(string name, int seed)
    {
        public readonly string Name = name;
        public long Steps;
        public Exception? Problem;

        public Thread Start(Deadline deadline)
        {
            var thread = new Thread(() => Run(deadline)) { Name = Name };
            thread.Start();
            return thread;
        }

        void Run(Deadline deadline)
        {
            var chance = new Random(seed);
            try
            {
                Load load = kinds[Name]();
                while (!deadline.IsOver)
                {
                    load.Step(chance);
                    Interlocked.Increment(ref Steps);
                }
                load.Finish();
            }
            catch (Exception problem)
            {
                Problem = problem;
                deadline.End();
            }
        }
    }

    /// <summary>When the loads are to end: when the time is over, or the first of them has failed.</summary>
    sealed class Deadline(TimeSpan time)
    {
        readonly long start = Stopwatch.GetTimestamp();
        readonly ManualResetEventSlim ended = new();

        public bool IsOver => ended.IsSet || Stopwatch.GetElapsedTime(start) >= time;

        public void End() => ended.Set();

        public void WaitFor(double part)
        {
            TimeSpan rest = time * part - Stopwatch.GetElapsedTime(start);
            if (rest > TimeSpan.Zero)
            {
                ended.Wait(rest);
            }
        }
    }

    public static void Run(double minutes, string[]? names, int seed)
    {
        var unknown = (names ?? []).Except(kinds.Keys).ToList();
        if (unknown.Count > 0)
        {
            throw new ArgumentException($"{unknown[0]} is none of {string.Join(", ", kinds.Keys)}");
        }
        var deadline = new Deadline(TimeSpan.FromMinutes(minutes));
        var workers = (names ?? [.. kinds.Keys]).Select((name, number) => new Worker(name, 1000 * seed + number)).ToList();
        var threads = workers.Select(worker => worker.Start(deadline)).ToList();

        var growth = new Growth();
        for (int tenth = 1; tenth <= 10 && !deadline.IsOver; tenth++)
        {
            deadline.WaitFor(tenth / 10.0);
            Check.CollectAll();
            growth.Note(tenth, GC.GetTotalMemory(false), Status("VmRSS:"), Status("VmHWM:"), string.Join("/", Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation => GC.CollectionCount(generation)))
                + $"; paused for {GC.GetTotalPauseDuration().TotalSeconds:f2} s");
        }
        threads.ForEach(thread => thread.Join());

        foreach (Worker worker in workers)
        {
            Console.WriteLine($"{worker.Name}: {worker.Steps} steps");
        }
        foreach (Worker worker in workers.Where(worker => worker.Problem != null))
        {
            throw new Wrong($"{worker.Name}, seed {seed}, step {worker.Steps}: {worker.Problem}");
        }
        if (workers.Where(worker => worker.Steps == 0).FirstOrDefault() is { } idle)
        {
            throw new Wrong($"{idle.Name} did nothing");
        }
        growth.Judge();
    }

    static double Status(string name)
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(name));
        return 1024 * double.Parse(line[name.Length..^2]);
    }
}
