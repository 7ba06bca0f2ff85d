using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bench;

/// <summary>
/// JSON round trips of a document of 2,000 orders: written from objects, read back into objects, compared; and read as a tree of nodes, changed, written. The last
/// 16 documents that were read are alive.
/// </summary>
static class Json
{
    const int Orders = 2_000, Kept = 16;

    public sealed record Line(string Article, int Count, decimal Price);

    public sealed record Order(int Number, string Customer, DateTime Placed, bool Paid, List<Line> Lines, Dictionary<string, string> Notes);

    public static void Run(int rounds)
    {
        List<Order> orders = Build();
        var kept = new List<Order>[Kept];
        long expected = Sum(orders);
        for (int round = 0; round < rounds; round++)
        {
            byte[] written = JsonSerializer.SerializeToUtf8Bytes(orders);
            Pauses.Look();
            List<Order> read = JsonSerializer.Deserialize<List<Order>>(written)!;
            Pauses.Look();
            Check(Sum(read) == expected && read[round % Orders].Customer == orders[round % Orders].Customer);
            kept[round % Kept] = orders = read;

            JsonArray tree = JsonNode.Parse(written)!.AsArray();
            Pauses.Look();
            int paid = 0;
            foreach (JsonNode? order in tree)
            {
                if ((bool)order!["Paid"]!)
                {
                    order["Notes"]!["state"] = "closed";
                    paid++;
                }
            }
            string text = tree.ToJsonString();
            Pauses.Look();
            Check(paid == Orders / 2 && text.Length > written.Length);
        }
        Check(kept.All(read => read == null || Sum(read) == expected));
    }

    static List<Order> Build()
    {
        var chance = new Random(1);
        string Word() => string.Concat(Enumerable.Range(0, chance.Next(3, 12)).Select(_ => (char)('a' + chance.Next(26))));
        return Enumerable.Range(0, Orders).Select(number => new Order(
            number, $"{Word()} {Word()}", new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(number), number % 2 == 0,
            Enumerable.Range(0, chance.Next(1, 6)).Select(_ => new Line(Word(), chance.Next(1, 10), chance.Next(100, 10_000) / 100m)).ToList(),
            new Dictionary<string, string> { ["to"] = Word(), ["remark"] = $"{Word()}, \u00e4\u00f6\u00fc \u4e2d {Word()}" })).ToList();
    }

    static long Sum(List<Order> orders) => orders.Sum(order => order.Number + order.Lines.Sum(line => line.Count * (long)(100 * line.Price)) + order.Notes["remark"].Length);

    static void Check(bool same)
    {
        if (!same)
        {
            throw new InvalidOperationException("what was read is not what was written");
        }
    }
}
