namespace Bench;

/// <summary>
/// A cache with churn: a dictionary from texts to entries that are linked in the order of their last use, of 96 MB at most; the one used longest ago goes first. Nine of ten lookups are for
/// a tenth of the keys. An entry that is not there is made: 64 bytes to 16 KB, small ones more often.
/// </summary>
static class Cache
{
    const int Keys = 300_000, Capacity = 96_000_000, RoundLength = 100_000;

    sealed class Entry(string key, byte[] content)
    {
        public readonly string Key = key;
        public readonly byte[] Content = content;
        public Entry? Newer, Older;
    }

    sealed class Recent
    {
        readonly Dictionary<string, Entry> entries = [];
        Entry? newest, oldest;
        long bytes;

        public Entry? Find(string key)
        {
            if (!entries.TryGetValue(key, out Entry? entry))
            {
                return null;
            }
            if (entry != newest)
            {
                Unlink(entry);
                PutFirst(entry);
            }
            return entry;
        }

        public void Add(Entry entry)
        {
            entries.Add(entry.Key, entry);
            PutFirst(entry);
            bytes += entry.Content.Length;
            while (bytes > Capacity)
            {
                Entry last = oldest!;
                Unlink(last);
                entries.Remove(last.Key);
                bytes -= last.Content.Length;
            }
        }

        void PutFirst(Entry entry)
        {
            entry.Older = newest;
            entry.Newer = null;
            if (newest != null)
            {
                newest.Newer = entry;
            }
            newest = entry;
            oldest ??= entry;
        }

        void Unlink(Entry entry)
        {
            if (entry.Newer != null)
            {
                entry.Newer.Older = entry.Older;
            }
            else
            {
                newest = entry.Older;
            }
            if (entry.Older != null)
            {
                entry.Older.Newer = entry.Newer;
            }
            else
            {
                oldest = entry.Newer;
            }
        }
    }

    public static void Run(int rounds)
    {
        var chance = new Random(1);
        var cache = new Recent();
        for (int i = 0; i < rounds * RoundLength; i++)
        {
            int number = chance.Next(10) < 9 ? chance.Next(Keys / 10) : chance.Next(Keys);
            string key = $"record:{number:d8}";
            Entry? entry = cache.Find(key);
            if (entry == null)
            {
                entry = new Entry(key, new byte[64 << chance.Next(9)]);
                entry.Content[0] = entry.Content[^1] = (byte)number;
                cache.Add(entry);
            }
            if (entry.Content[0] != (byte)number || entry.Content[^1] != (byte)number)
            {
                throw new InvalidOperationException($"what is cached for {key} is not what was put there");
            }
            Pauses.Look();
        }
    }
}
