using System.Collections.Concurrent;

namespace Soak;

/// <summary>Work on all processors at once on shared objects, references exchanged without locks, and references moved in bulk: copying, sorting, inserting, clearing.</summary>
sealed class Parallels : Load
{
    sealed record Node(int Number, Node? Next);

    readonly ConcurrentDictionary<int, string> shared = new();
    readonly object?[] board = new object?[512];
    Node? top;
    int made;

    public override void Step(Random chance)
    {
        int stamp = ++made;
        Exchange(stamp);
        Share(stamp);
        Move(stamp, chance);
        Check.That(ParallelEnumerable.Range(0, 5000).Select(i => $"{stamp + i}").Where(text => text[^1] == '7').Select(int.Parse).Order().SequenceEqual(
            Enumerable.Range(stamp, 5000).Where(number => number % 10 == 7)));
    }

    /// <summary>A stack and a board that all change at once.</summary>
    void Exchange(int stamp)
    {
        const int Count = 2000;
        Parallel.For(0, Count, i =>
        {
            Node? seen;
            Node pushed;
            do
            {
                seen = Volatile.Read(ref top);
                pushed = new Node(stamp + i, seen);
            }
            while (Interlocked.CompareExchange(ref top, pushed, seen) != seen);
            object? before = Interlocked.Exchange(ref board[i % board.Length], Tuple.Create(i % board.Length, $"{i % board.Length}"));
            Check.That(before == null || before.Equals(Tuple.Create(i % board.Length, $"{i % board.Length}")));
        });
        Check.That(Numbers(top).Order().SequenceEqual(Enumerable.Range(stamp, Count)));
        top = null;
    }

    static IEnumerable<int> Numbers(Node? node)
    {
        for (; node != null; node = node.Next)
        {
            yield return node.Number;
        }
    }

    void Share(int stamp)
    {
        Parallel.For(0, 1000, i => shared.AddOrUpdate((stamp * 31 + i) % 5000, key => $"{key}", (key, before) =>
        {
            Check.That(before == $"{key}");
            return $"{key}";
        }));
        Parallel.ForEach(shared.Keys.Where(key => key % 11 == stamp % 11), key => Check.That(!shared.TryRemove(key, out string? removed) || removed == $"{key}"));
        Check.That(shared.All(pair => pair.Value == $"{pair.Key}"));
    }

    /// <summary>The same moves on numbers, which the collector does not look at, and on objects made of them.</summary>
    static void Move(int stamp, Random chance)
    {
        int[] numbers = [.. Enumerable.Range(0, 3000).Select(_ => chance.Next(1_000_000))];
        object[] objects = [.. numbers.Select(number => (object)$"{number:d7}")];
        int from = chance.Next(1500), to = chance.Next(1500), length = chance.Next(1500);
        Array.Copy(numbers, from, numbers, to, length);
        Array.Copy(objects, from, objects, to, length);
        numbers.AsSpan(to, length).CopyTo(numbers.AsSpan(from));
        objects.AsSpan(to, length).CopyTo(objects.AsSpan(from));
        if (stamp % 8 == 0)
        {
            GC.Collect(0);
        }
        Array.Sort(numbers);
        Array.Sort(objects, (a, b) => string.CompareOrdinal((string)a, (string)b));
        Array.Reverse(numbers, 10, 500);
        Array.Reverse(objects, 10, 500);

        var numberList = numbers.ToList();
        var objectList = objects.ToList();
        for (int i = 0; i < 100; i++)
        {
            int place = chance.Next(numberList.Count);
            numberList.Insert(place, i);
            objectList.Insert(place, $"{i:d7}");
            int removed = chance.Next(numberList.Count);
            numberList.RemoveAt(removed);
            objectList.RemoveAt(removed);
        }
        Check.That(numberList.Select(number => $"{number:d7}").SequenceEqual(objectList.Cast<string>()));
        Array.Clear(objects, 5, 50);
        Check.That(objects[5] == null && objects[54] == null && objects[4] != null && objects[55] != null);
    }
}
