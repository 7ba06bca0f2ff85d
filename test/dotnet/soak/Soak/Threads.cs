namespace Soak;

/// <summary>Threads that come and go: each has statics of its own, makes objects, hands some over, and ends. Some are of the pool.</summary>
sealed class Threads : Load
{
    [ThreadStatic]
    static List<string>? own;

    static readonly ThreadLocal<int[]> local = new(() => new int[100]);

    readonly Queue<(int Stamp, object Result)> results = [];
    int made;

    public override void Step(Random chance)
    {
        int first = made, count = chance.Next(1, 6);
        made += count;
        var done = new object?[count];
        var problems = new Exception?[count];
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                done[i] = Work(first + i);
            }
            catch (Exception problem)
            {
                problems[i] = problem;
            }
        }, i % 2 == 0 ? 0 : 256 * 1024)).ToList();
        threads.ForEach(thread => thread.Start());

        Task<object>[] tasks = [.. Enumerable.Range(0, 3).Select(i => Task.Run(() => Work(first + i)))];
        threads.ForEach(thread => thread.Join());
        Task.WaitAll(tasks);
        if (problems.FirstOrDefault(problem => problem != null) is { } found)
        {
            throw new Wrong($"in a thread: {found}");
        }
        for (int i = 0; i < count; i++)
        {
            results.Enqueue((first + i, done[i]!));
        }
        while (results.Count > 200)
        {
            (int stamp, object result) = results.Dequeue();
            Check.That(result is Dictionary<int, string> texts && texts.All(pair => pair.Value == $"{stamp + pair.Key}"));
        }
    }

    static object Work(int stamp)
    {
        own = [$"{stamp}"];
        local.Value![7] = stamp;
        var texts = new Dictionary<int, string>();
        for (int i = 0; i < 300; i++)
        {
            texts[i] = $"{stamp + i}";
            if (i % 3 == 0)
            {
                own.Add(texts[i]);
            }
        }
        Check.That(own.Count == 101 && own[0] == $"{stamp}" && ReferenceEquals(own[100], texts[297]) && local.Value[7] == stamp);
        return texts;
    }
}
