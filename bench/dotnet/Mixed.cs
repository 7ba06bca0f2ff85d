namespace Bench;

/// <summary>
/// Allocation with survival and large objects, in the style of GCPerfSim: two threads make things of 100 to 4000 bytes, of which every 50th takes the place of one that lived, and now and then an array of
/// 100 kB to 2 MB. Three of four small things are an array of bytes, one is an array of small objects. About 100 MB are alive. What dies is looked at before: it must be what it was.
/// </summary>
static class Mixed
{
    const int Threads = 2, Living = 16_000, LargeLiving = 16;
    const int SurvivalInterval = 50, LargeInterval = 2_000, LargeSurvivalInterval = 5, RoundLength = 100_000;

    sealed class Leaf(int stamp)
    {
        public readonly int Stamp = stamp;
        public Leaf? Next;
    }

    sealed class Item
    {
        readonly int stamp;
        readonly byte[]? bytes;
        readonly Leaf[]? leaves;

        public Item(int stamp, int size, bool ofObjects)
        {
            this.stamp = stamp;
            if (!ofObjects)
            {
                bytes = new byte[size];
                bytes[0] = bytes[^1] = (byte)stamp;
                return;
            }
            leaves = new Leaf[size / 40];
            for (int i = 0; i < leaves.Length; i++)
            {
                leaves[i] = new Leaf(stamp + i);
                leaves[i].Next = leaves[i / 2];
            }
        }

        public bool IsWhole()
        {
            if (bytes != null)
            {
                return bytes[0] == (byte)stamp && bytes[^1] == (byte)stamp;
            }
            for (int i = 0; i < leaves!.Length; i++)
            {
                if (leaves[i].Stamp != stamp + i || leaves[i].Next!.Stamp != stamp + i / 2)
                {
                    return false;
                }
            }
            return true;
        }
    }

    public static void Run(int rounds)
    {
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() => Mutate(new Random(number + 1), rounds))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
    }

    static Item Small(Random chance, int stamp) => new(stamp, chance.Next(100, 4000), stamp % 4 == 0);

    static byte[] Large(Random chance, int stamp)
    {
        var bytes = new byte[chance.Next(100_000, 2_000_000)];
        for (int i = 0; i < bytes.Length; i += 4096)
        {
            bytes[i] = (byte)stamp;
        }
        bytes[^1] = (byte)stamp;
        return bytes;
    }

    static void Mutate(Random chance, int rounds)
    {
        var living = new Item[Living];
        var large = new byte[LargeLiving][];
        for (int i = 0; i < living.Length; i++)
        {
            living[i] = Small(chance, i);
        }
        for (int i = 0; i < large.Length; i++)
        {
            large[i] = Large(chance, i);
        }
        int largeMade = 0;
        for (int i = 0; i < rounds * RoundLength; i++)
        {
            Item item = Small(chance, i);
            if (i % SurvivalInterval == 0)
            {
                ref Item place = ref living[chance.Next(Living)];
                Check(place.IsWhole());
                place = item;
            }
            if (i % LargeInterval == 0)
            {
                byte[] bytes = Large(chance, i);
                if (largeMade++ % LargeSurvivalInterval == 0)
                {
                    ref byte[] place = ref large[chance.Next(LargeLiving)];
                    Check(place[0] == place[^1]);
                    place = bytes;
                }
            }
            Pauses.Look();
        }
        Check(living.All(item => item.IsWhole()) && large.All(bytes => bytes[0] == bytes[^1]));
    }

    static void Check(bool whole)
    {
        if (!whole)
        {
            throw new InvalidOperationException("what lived is not what it was");
        }
    }
}
