using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Soak;

/// <summary>Documents written, read and asked: System.Text.Json, LINQ, regular expressions. What is read is what was written, and queries agree with loops.</summary>
sealed partial class Documents : Load
{
    public sealed record Item(int Number, string Name, double Price, List<string> Tags, Dictionary<string, int?> Counts, Item? Parent);

    readonly List<Item>[] kept = new List<Item>[10];
    int made;

    public override void Step(Random chance)
    {
        List<Item> items = Build(++made, chance);
        string written = JsonSerializer.Serialize(items);
        List<Item> read = JsonSerializer.Deserialize<List<Item>>(written)!;
        Check.That(JsonSerializer.Serialize(read) == written && read.Count == items.Count && read[^1].Name == items[^1].Name);
        JsonNode tree = JsonNode.Parse(written)!;
        Check.That(JsonNode.DeepEquals(tree, JsonSerializer.SerializeToNode(read)) && tree.AsArray().Count == items.Count);
        using JsonDocument document = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(read));
        Check.That(document.RootElement.EnumerateArray().Select(element => element.GetProperty("Number").GetInt32()).SequenceEqual(items.Select(item => item.Number)));
        Query(read);
        Check.That(Words().Matches(written).Count(match => match.Value == "\"Name\"") == items.Sum(item => item.Parent == null ? 1 : 2));
        ref List<Item> place = ref kept[made % kept.Length];
        Check.That(place == null || place.All(item => item.Name == $"item {item.Number}"));
        place = read;
    }

    [GeneratedRegex("\"[A-Z][a-z]+\"")]
    private static partial Regex Words();

    static List<Item> Build(int stamp, Random chance) => [.. Enumerable.Range(0, chance.Next(1, 400)).Select(i => new Item(
        stamp + i, $"item {stamp + i}", chance.Next(10_000) / 4.0, [.. Enumerable.Range(0, i % 5).Select(tag => $"tag{chance.Next(20)}")],
        Enumerable.Range(0, i % 4).ToDictionary(count => $"count{count}", count => count == 2 ? null : (int?)count),
        i % 3 == 0 ? new Item(i, $"item {i}", 0, [], [], null) : null))];

    static void Query(List<Item> items)
    {
        var byTag = items.SelectMany(item => item.Tags.Distinct(), (item, tag) => (item, tag)).GroupBy(pair => pair.tag)
            .Select(group => (Tag: group.Key, Total: group.Sum(pair => pair.item.Price), Names: group.Select(pair => pair.item.Name).Order(StringComparer.Ordinal).ToArray()))
            .OrderByDescending(group => group.Total).ThenBy(group => group.Tag, StringComparer.Ordinal).ToList();
        var totals = new Dictionary<string, double>();
        foreach (Item item in items)
        {
            foreach (string tag in item.Tags.Distinct())
            {
                totals[tag] = totals.GetValueOrDefault(tag) + item.Price;
            }
        }
        Check.That(byTag.Count == totals.Count && byTag.All(group => totals[group.Tag] == group.Total && group.Names.Length > 0));
        var joined = items.Join(items.Where(item => item.Parent != null), item => item.Number, item => item.Number, (left, right) => (left, right)).ToLookup(pair => pair.left.Tags.Count);
        Check.That(joined.Sum(group => group.Count()) == items.Count(item => item.Parent != null) && joined.All(group => group.All(pair => ReferenceEquals(pair.left, pair.right))));
        Check.That(items.Chunk(7).Aggregate(0, (sum, chunk) => sum + chunk.Sum(item => item.Number)) == items.Zip(items).Sum(pair => pair.First.Number));
    }
}
