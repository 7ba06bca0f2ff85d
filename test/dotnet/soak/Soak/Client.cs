using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Orders;

namespace Soak;

/// <summary>Requests of all kinds to the server, some at a time. Every answer is checked. Each tenth of the time the server is asked for its memory.</summary>
static class Client
{
    const int AtOnce = 8;

    public static async Task Run(Uri server, double minutes, int seed)
    {
        // Who waits longer has stood still with the server: soak.py ends what hangs.
        using var client = new HttpClient { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        TimeSpan time = TimeSpan.FromMinutes(minutes);
        long start = Stopwatch.GetTimestamp(), asked = 0;
        var growth = new Growth();
        using var over = new CancellationTokenSource();

        async Task Ask(Random chance)
        {
            try
            {
                while (Stopwatch.GetElapsedTime(start) < time && !over.IsCancellationRequested)
                {
                    await One(client, chance);
                    Interlocked.Increment(ref asked);
                }
            }
            catch
            {
                over.Cancel();
                throw;
            }
        }

        async Task Watch()
        {
            for (int tenth = 1; tenth <= 10; tenth++)
            {
                TimeSpan rest = time * tenth / 10 - Stopwatch.GetElapsedTime(start);
                await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                string[] state = (await client.GetStringAsync("state")).Split(' ');
                growth.Note(tenth, Bytes(state[0]), Bytes(state[1]), Bytes(state[2]), $"{state[3]}; {Volatile.Read(ref asked)} requests");
            }
        }

        var asking = Enumerable.Range(0, AtOnce).Select(number => Task.Run(() => Ask(new Random(100 * seed + number)))).ToList();
        await Task.WhenAll([.. asking, Watch()]);
        Check.That(asked > 0, "some request was answered");
        growth.Judge();
    }

    static double Bytes(string kibi) => 1024.0 * long.Parse(kibi);

    static async Task One(HttpClient client, Random chance)
    {
        int stamp = chance.Next(100_000);
        switch (chance.Next(10))
        {
            case < 4:
                Check.That(await client.GetStringAsync("plain") == "Hello, World!");
                break;
            case < 6:
                int count = chance.Next(1, 100);
                Check.That(Order.AreSame((await client.GetFromJsonAsync<List<Order>>($"orders/{stamp}/{count}"))!, Order.Make(stamp, count)));
                break;
            case 6:
                List<Order> orders = Order.Make(stamp, chance.Next(1, 300));
                HttpResponseMessage reversed = await client.PostAsJsonAsync("reversed", orders);
                List<Order> read = (await reversed.Content.ReadFromJsonAsync<List<Order>>())!;
                read.Reverse();
                Check.That(Order.AreSame(read, orders));
                break;
            case 7:
                byte[] bytes = await client.GetByteArrayAsync($"bytes/{stamp}/{chance.Next(1_000_000)}");
                Check.That(!bytes.AsSpan().ContainsAnyExcept((byte)stamp));
                break;
            case 8:
                int key = stamp % 2000;
                using (HttpResponseMessage put = await client.PutAsync($"cache/{key}", new ByteArrayContent(Check.Filled(1000 + 20 * key, key))))
                {
                    put.EnsureSuccessStatusCode();
                }
                break;
            default:
                using (HttpResponseMessage cached = await client.GetAsync($"cache/{stamp % 2000}"))
                {
                    Check.That(cached.StatusCode == HttpStatusCode.NotFound || Check.IsFilled(await cached.Content.ReadAsByteArrayAsync(), stamp % 2000));
                }
                break;
        }
    }
}
