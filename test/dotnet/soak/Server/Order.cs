namespace Orders;

public sealed record Line(string Article, int Count, decimal Price);

/// <summary>What client and server send each other: both make the same of the same numbers.</summary>
public sealed record Order(int Number, string Customer, DateTime Placed, List<Line> Lines)
{
    public static List<Order> Make(int seed, int count) => [.. Enumerable.Range(seed, count).Select(number => new Order(
        number, $"customer {number} \u00e4\u4e2d", DateTime.UnixEpoch.AddMinutes(number),
        [.. Enumerable.Range(0, number % 6).Select(line => new Line($"article {number + line}", line + 1, (number + line) / 4m))]))];

    /// <summary>Records with lists are not compared by what is in the lists.</summary>
    public static bool AreSame(List<Order> some, List<Order> others) => some.Count == others.Count && some.Zip(others).All(pair =>
        pair.First with { Lines = pair.Second.Lines } == pair.Second && pair.First.Lines.SequenceEqual(pair.Second.Lines));
}
