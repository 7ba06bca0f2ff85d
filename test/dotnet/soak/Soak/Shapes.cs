using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;

namespace Soak;

/// <summary>Something of one of many shapes, made of a stamp, from which can be told what must be in it.</summary>
abstract class Thing(int stamp)
{
    public readonly int Stamp = stamp;
    Thing? other;
    int stampOfOther;

    public void Link(Thing? thing)
    {
        other = thing;
        stampOfOther = thing?.Stamp ?? 0;
    }

    public bool IsWhole() => (other == null || other.Stamp == stampOfOther) && HasContent();

    protected abstract bool HasContent();
}

/// <summary>
/// Objects of all shapes, three thousand alive at a time, which refer to each other at random: so old ones are given references to new ones all the time. Each is looked at when it is replaced, and now and then
/// before.
/// </summary>
sealed class Shapes : Load
{
    const int Living = 3000;

    static readonly Func<int, Random, Thing>[] makers =
    [
        (stamp, chance) => new Bytes(stamp, chance.Next(4000)),
        (stamp, chance) => new Text(stamp, chance.Next(300)),
        (stamp, chance) => new Structs(stamp, chance.Next(200)),
        (stamp, chance) => new Grid(stamp, chance.Next(1, 12), chance.Next(1, 12)),
        (stamp, _) => new Boxes(stamp),
        (stamp, chance) => new Closures(stamp, chance.Next(1, 20)),
        (stamp, chance) => new Chain(stamp, chance.Next(1, 2000)),
        (stamp, chance) => new Collections(stamp, chance.Next(100)),
        (stamp, chance) => new Slices(stamp, chance.Next(16, 2000)),
        (stamp, _) => new Wide(stamp),
        (stamp, chance) => new Midway(stamp, chance.Next(50)),
        (stamp, _) => new Locked(stamp),
    ];

    readonly Thing[] living = new Thing[Living];
    int made;

    public override void Step(Random chance)
    {
        for (int i = 0; i < 100; i++)
        {
            ref Thing place = ref living[chance.Next(Living)];
            if (place != null)
            {
                Check.That(place.IsWhole());
                place.Link(null);
            }
            place = makers[chance.Next(makers.Length)](++made, chance);
            Link(chance);
            Link(chance);
        }
        Thing? looked = living[chance.Next(Living)];
        Check.That(looked == null || looked.IsWhole());
        Check.That(Inside(chance.Next(1, 1000), made) == made);
    }

    void Link(Random chance) => living[chance.Next(Living)]?.Link(living[chance.Next(Living)]);

    public override void Finish() => Check.That(living.All(thing => thing == null || thing.IsWhole()));

    /// <summary>For a while nothing but a reference to an element keeps an array alive.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Inside(int length, int stamp)
    {
        ref int element = ref Stamped(length, stamp)[length / 2];
        ref readonly char letter = ref Word(stamp).AsSpan()[1];
        int waste = 0;
        for (int i = 0; i < 100; i++)
        {
            waste += new byte[100 + i].Length;
        }
        if (stamp % 256 == 0)
        {
            GC.Collect(0);
        }
        Check.That(waste > 0 && letter == Word(stamp)[1]);
        return element;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static int[] Stamped(int length, int stamp)
    {
        var array = new int[length];
        array.AsSpan().Fill(stamp);
        return array;
    }

    static string Word(int stamp) => $"word {stamp}";

    sealed class Bytes(int stamp, int length) : Thing(stamp)
    {
        readonly byte[] bytes = Check.Filled(length, stamp);

        protected override bool HasContent() => Check.IsFilled(bytes, Stamp);
    }

    sealed class Text : Thing
    {
        readonly string text;
        readonly StringBuilder builder = new();
        readonly string[] parts;

        public Text(int stamp, int length) : base(stamp)
        {
            for (int i = 0; i < length; i++)
            {
                builder.Append(stamp + i).Append(';');
            }
            text = builder.ToString();
            parts = text.Split(';');
        }

        protected override bool HasContent()
        {
            for (int i = 0; i < parts.Length - 1; i++)
            {
                if (parts[i] != (Stamp + i).ToString())
                {
                    return false;
                }
            }
            return builder.ToString() == text && text.Length == parts.Sum(part => part.Length + 1) - 1;
        }
    }

    struct Mixture
    {
        public byte Small;
        public object Boxed;
        public long Number;
        public string Name;
        public (int, object) Pair;
    }

    sealed class Structs : Thing
    {
        readonly Mixture[] array;
        readonly KeyValuePair<string, int[]>[] pairs;

        public Structs(int stamp, int length) : base(stamp)
        {
            array = new Mixture[length];
            pairs = new KeyValuePair<string, int[]>[length / 4];
            for (int i = 0; i < length; i++)
            {
                array[i] = new Mixture { Small = (byte)i, Boxed = stamp + i, Number = stamp, Name = $"{i}", Pair = (i, (long)stamp) };
            }
            for (int i = 0; i < pairs.Length; i++)
            {
                pairs[i] = new($"{stamp + i}", [stamp, i]);
            }
        }

        protected override bool HasContent()
        {
            for (int i = 0; i < array.Length; i++)
            {
                ref Mixture one = ref array[i];
                if (one.Small != (byte)i || (int)one.Boxed != Stamp + i || one.Number != Stamp || one.Name != $"{i}" || one.Pair.Item1 != i || (long)one.Pair.Item2 != Stamp)
                {
                    return false;
                }
            }
            return pairs.Select((pair, i) => pair.Key == $"{Stamp + i}" && pair.Value is [var first, var second] && first == Stamp && second == i).All(same => same);
        }
    }

    sealed class Grid : Thing
    {
        readonly object[,] objects;
        readonly int[,,] numbers;
        readonly long[][] jagged;

        public Grid(int stamp, int rows, int columns) : base(stamp)
        {
            objects = new object[rows, columns];
            numbers = new int[rows, columns, 3];
            jagged = new long[rows][];
            for (int i = 0; i < rows; i++)
            {
                jagged[i] = new long[columns + i];
                Array.Fill(jagged[i], stamp + i);
                for (int j = 0; j < columns; j++)
                {
                    objects[i, j] = $"{stamp} {i} {j}";
                    numbers[i, j, 2] = stamp * i + j;
                }
            }
        }

        protected override bool HasContent()
        {
            for (int i = 0; i < objects.GetLength(0); i++)
            {
                if (jagged[i].Any(number => number != Stamp + i))
                {
                    return false;
                }
                for (int j = 0; j < objects.GetLength(1); j++)
                {
                    if ((string)objects[i, j] != $"{Stamp} {i} {j}" || numbers[i, j, 2] != Stamp * i + j || numbers[i, j, 0] != 0)
                    {
                        return false;
                    }
                }
            }
            return true;
        }
    }

    sealed class Boxes(int stamp) : Thing(stamp)
    {
        readonly object[] boxes = [stamp, (double)stamp, (decimal)stamp / 2, new Guid(stamp, 1, 2, new byte[8]), new DateTime(stamp), (long?)stamp, DayOfWeek.Friday, (stamp, "two"), (byte)stamp, (Int128)stamp << 64];

        protected override bool HasContent() => boxes.SequenceEqual(new Boxes(Stamp).boxes);
    }

    sealed class Closures : Thing
    {
        readonly Func<int> sum;
        readonly Action<int[]> all;
        readonly int count;

        public Closures(int stamp, int count) : base(stamp)
        {
            this.count = count;
            sum = () => 0;
            all = _ => { };
            for (int i = 0; i < count; i++)
            {
                Func<int> before = sum;
                int add = stamp + i;
                sum = () => before() + add;
                all += total => total[0] += add;
            }
        }

        protected override bool HasContent()
        {
            int[] total = [0];
            all(total);
            return total[0] == sum() && total[0] == count * Stamp + count * (count - 1) / 2;
        }
    }

    sealed class Chain : Thing
    {
        sealed record Part(int Number, Part? Next);

        readonly Part first;
        readonly int length;

        public Chain(int stamp, int length) : base(stamp)
        {
            this.length = length;
            first = new Part(stamp, null);
            for (int i = 1; i < length; i++)
            {
                first = new Part(stamp + i, first);
            }
        }

        protected override bool HasContent()
        {
            int expected = Stamp + length;
            for (Part? part = first; part != null; part = part.Next)
            {
                if (part.Number != --expected)
                {
                    return false;
                }
            }
            return expected == Stamp;
        }
    }

    sealed class Collections : Thing
    {
        readonly Dictionary<int, List<string>> lists = [];
        readonly HashSet<string> names = [];
        readonly LinkedList<long> linked = [];
        readonly PriorityQueue<string, int> queue = new();
        readonly ImmutableDictionary<int, string> immutable;
        readonly int count;

        public Collections(int stamp, int count) : base(stamp)
        {
            this.count = count;
            var builder = ImmutableDictionary.CreateBuilder<int, string>();
            for (int i = 0; i < count; i++)
            {
                lists[i] = [.. Enumerable.Range(stamp, i % 10).Select(number => $"{number}")];
                names.Add($"{stamp + i}");
                linked.AddFirst(stamp + i);
                queue.Enqueue($"{i}", -i);
                builder[i] = $"{stamp - i}";
            }
            immutable = builder.ToImmutable();
        }

        protected override bool HasContent()
        {
            for (int i = 0; i < count; i++)
            {
                if (lists[i].Count != i % 10 || (i % 10 > 0 && lists[i][^1] != $"{Stamp + i % 10 - 1}") || !names.Contains($"{Stamp + i}") || immutable[i] != $"{Stamp - i}")
                {
                    return false;
                }
            }
            return linked.SequenceEqual(Enumerable.Range(0, count).Select(i => (long)Stamp + count - 1 - i)) && (count == 0 || queue.Peek() == $"{count - 1}");
        }
    }

    /// <summary>Parts of arrays and texts by the types that can be kept.</summary>
    sealed class Slices : Thing
    {
        readonly ReadOnlyMemory<byte> bytes;
        readonly ArraySegment<string> strings;
        readonly ReadOnlyMemory<char> letters;

        public Slices(int stamp, int length) : base(stamp)
        {
            bytes = Check.Filled(length, stamp).AsMemory()[..(length / 2)];
            strings = new ArraySegment<string>([.. Enumerable.Range(stamp, 10).Select(number => $"{number}")], 3, 4);
            letters = Word(stamp).AsMemory(2);
        }

        protected override bool HasContent() => Check.IsFilled(bytes.Span, Stamp) && strings.SequenceEqual(Enumerable.Range(Stamp + 3, 4).Select(number => $"{number}"))
            && letters.Span.SequenceEqual(Word(Stamp).AsSpan(2));
    }

    [InlineArray(9)]
    struct Nine
    {
        object? first;
    }

    /// <summary>Many fields, with references at both ends and inside of structs, generic ones and those with an inline array.</summary>
    sealed class Wide : Thing
    {
        readonly string first;
        readonly Guid guid;
        readonly (string, int, (object, byte)) nested;
        readonly long a, b, c;
        Nine nine;
        readonly KeyValuePair<Guid, string>? maybe;
        readonly string last;

        public Wide(int stamp) : base(stamp)
        {
            first = $"first {stamp}";
            guid = new Guid(stamp, 0, 0, new byte[8]);
            nested = ($"{stamp}", stamp, (stamp, 7));
            a = b = c = stamp;
            for (int i = 0; i < 9; i++)
            {
                nine[i] = stamp + i;
            }
            maybe = stamp % 2 == 0 ? null : new(guid, first);
            last = $"last {stamp}";
        }

        protected override bool HasContent()
        {
            for (int i = 0; i < 9; i++)
            {
                if ((int)nine[i]! != Stamp + i)
                {
                    return false;
                }
            }
            return first == $"first {Stamp}" && last == $"last {Stamp}" && guid == new Guid(Stamp, 0, 0, new byte[8]) && nested.Equals(($"{Stamp}", Stamp, ((object)Stamp, (byte)7)))
                && a + b + c == 3L * Stamp && (maybe == null) == (Stamp % 2 == 0) && (maybe == null || ReferenceEquals(maybe.Value.Value, first));
        }
    }

    /// <summary>An iterator that has stopped in the middle of its work.</summary>
    sealed class Midway : Thing
    {
        readonly IEnumerator<string> iterator;
        readonly int steps;

        public Midway(int stamp, int steps) : base(stamp)
        {
            this.steps = steps;
            iterator = Texts(stamp).GetEnumerator();
            for (int i = 0; i <= steps; i++)
            {
                iterator.MoveNext();
            }
        }

        static IEnumerable<string> Texts(int stamp)
        {
            var before = new List<int>();
            for (int i = 0; ; i++)
            {
                before.Add(stamp + i);
                yield return string.Join(",", before.TakeLast(3));
            }
        }

        protected override bool HasContent() => iterator.Current == string.Join(",", Enumerable.Range(Stamp, steps + 1).TakeLast(3));
    }

    /// <summary>A hash code of its own and a lock: what is in the header, or beside the object.</summary>
    sealed class Locked : Thing
    {
        readonly object locked = new();
        readonly int hash;

        public Locked(int stamp) : base(stamp)
        {
            if (stamp % 2 == 0)
            {
                Use();
            }
            hash = RuntimeHelpers.GetHashCode(locked);
            Use();
        }

        void Use()
        {
            lock (locked)
            {
                Monitor.PulseAll(locked);
            }
        }

        protected override bool HasContent()
        {
            Use();
            return RuntimeHelpers.GetHashCode(locked) == hash && !Monitor.IsEntered(locked);
        }
    }
}
