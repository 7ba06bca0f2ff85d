// A small server on a port of its own choice, whose address is the first line that it prints. The program Soak asks it, and knows what it must answer.
using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Caching.Memory;
using Orders;

const long CacheLimit = 32_000_000;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Services.AddMemoryCache(options => options.SizeLimit = CacheLimit);
WebApplication app = builder.Build();

app.MapGet("/plain", () => "Hello, World!");
app.MapGet("/orders/{seed}/{count}", (int seed, int count) => Order.Make(seed, count));
app.MapPost("/reversed", (List<Order> orders) => Enumerable.Reverse(orders));
app.MapGet("/bytes/{stamp}/{length}", async (int stamp, int length, HttpResponse response) =>
{
    response.ContentLength = length;
    var part = new byte[10_000];
    Array.Fill(part, (byte)stamp);
    for (int sent = 0; sent < length; sent += part.Length)
    {
        await response.Body.WriteAsync(part.AsMemory(0, Math.Min(part.Length, length - sent)));
    }
});
app.MapPut("/cache/{key}", async (int key, HttpRequest request, IMemoryCache cache) =>
{
    var content = new MemoryStream();
    await request.Body.CopyToAsync(content);
    cache.Set(key, content.ToArray(), new MemoryCacheEntryOptions { Size = content.Length });
});
app.MapGet("/cache/{key}", (int key, IMemoryCache cache) => cache.TryGetValue(key, out byte[]? content) ? Results.Bytes(content!) : Results.NotFound());
app.MapGet("/state", () =>
{
    static string Status(string name) => File.ReadLines("/proc/self/status").First(line => line.StartsWith(name))[name.Length..^2].Trim();
    return string.Create(CultureInfo.InvariantCulture, $"{GC.GetTotalMemory(true) >> 10} {Status("VmRSS:")} {Status("VmHWM:")} ")
        + string.Join("/", Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation => GC.CollectionCount(generation)));
});
app.MapPost("/stop", (IHostApplicationLifetime lifetime) => lifetime.StopApplication());

app.Start();
Console.WriteLine(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
app.WaitForShutdown();
