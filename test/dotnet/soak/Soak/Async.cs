using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Soak;

/// <summary>Tasks that wait for each other: channels, streams of results, values that flow with the work, timers, cancellation, failures.</summary>
sealed class Async : Load
{
    static readonly AsyncLocal<string?> flowing = new();
    int made;

    public override void Step(Random chance) => Run(++made, chance.Next(1, 200)).GetAwaiter().GetResult();

    static async Task Run(int stamp, int count)
    {
        flowing.Value = $"{stamp}";
        Task<long> consumed = Pass(stamp, count);
        Task<int> nested = Nest(stamp, count);
        Task failing = Fail(stamp, count);
        long streamed = 0;
        await foreach (string text in Stream(stamp, count))
        {
            streamed += int.Parse(text);
        }
        Check.That(streamed == Sum(stamp, count) && await consumed == streamed && await nested == count && flowing.Value == $"{stamp}");
        try
        {
            await failing;
            Check.That(false, "a task that fails throws");
        }
        catch (InvalidOperationException problem)
        {
            Check.That(problem.Message == $"{stamp} {count}");
        }
        await Cancel();
        var source = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<bool> waiting = Whole(source.Task, stamp);
        source.SetResult(Check.Filled(count, stamp));
        Check.That(await waiting);
    }

    static long Sum(int stamp, int count) => (long)count * stamp + (long)count * (count - 1) / 2;

    static async Task<bool> Whole(Task<byte[]> task, int stamp) => Check.IsFilled(await task, stamp);

    static async Task<long> Pass(int stamp, int count)
    {
        var channel = Channel.CreateBounded<(int, string)>(8);
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; i < count; i++)
            {
                await channel.Writer.WriteAsync((i, $"{stamp + i}"));
            }
            channel.Writer.Complete();
        });
        long sum = 0;
        await foreach ((int i, string text) in channel.Reader.ReadAllAsync())
        {
            Check.That(text == $"{stamp + i}" && flowing.Value == $"{stamp}");
            sum += stamp + i;
        }
        await writing;
        return sum;
    }

    static async IAsyncEnumerable<string> Stream(int stamp, int count, [EnumeratorCancellation] CancellationToken cancelled = default)
    {
        for (int i = 0; i < count; i++)
        {
            if (i % 16 == 0)
            {
                await Task.Yield();
            }
            cancelled.ThrowIfCancellationRequested();
            yield return $"{stamp + i}";
        }
    }

    static async Task<int> Nest(int stamp, int depth)
    {
        var local = new int[depth + 1];
        Array.Fill(local, stamp);
        if (depth % 32 == 0)
        {
            await Task.Yield();
        }
        int below = depth == 0 ? 0 : 1 + await Nest(stamp, depth - 1);
        Check.That(!local.AsSpan().ContainsAnyExcept(stamp) && flowing.Value == $"{stamp}");
        return below;
    }

    static async Task Fail(int stamp, int count)
    {
        await Task.Yield();
        string message = $"{stamp} {count}";
        try
        {
            await Task.Run(() => throw new ArgumentException(message));
        }
        catch (ArgumentException problem)
        {
            throw new InvalidOperationException(message, problem);
        }
    }

    static async Task Cancel()
    {
        using var source = new CancellationTokenSource(1);
        var noted = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = source.Token.Register(() => noted.SetResult("cancelled"));
        try
        {
            await Task.Delay(Timeout.Infinite, source.Token);
        }
        catch (OperationCanceledException)
        {
        }
        Check.That(await noted.Task == "cancelled");
    }
}
