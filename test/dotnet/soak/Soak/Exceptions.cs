using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Soak;

/// <summary>Exceptions through deep stacks, with filters and blocks that allocate, thrown again, kept, and those that the processor raises.</summary>
sealed class Exceptions : Load
{
    sealed class Carried(int stamp, byte[] payload, Exception? inner) : Exception($"carried {stamp}", inner)
    {
        public readonly int Stamp = stamp;
        public readonly byte[] Payload = payload;
    }

    readonly Queue<ExceptionDispatchInfo> kept = [];
    int made;

    public override void Step(Random chance)
    {
        int stamp = ++made, depth = chance.Next(1, 200);
        var trail = new List<string>();
        try
        {
            Descend(depth, stamp, trail);
        }
        catch (Carried carried) when (Filter(carried, stamp))
        {
            Check.That(carried.Stamp == stamp && Check.IsFilled(carried.Payload, stamp) && trail.Count == depth && trail[^1] == $"{depth}");
            Check.That(carried.InnerException is InvalidCastException && carried.StackTrace!.Contains(nameof(Descend)));
            kept.Enqueue(ExceptionDispatchInfo.Capture(carried));
        }
        if (kept.Count > 100)
        {
            ExceptionDispatchInfo oldest = kept.Dequeue();
            try
            {
                oldest.Throw();
            }
            catch (Carried carried)
            {
                Check.That(carried.Stamp == stamp - 100 && Check.IsFilled(carried.Payload, carried.Stamp) && carried.Message == $"carried {carried.Stamp}");
            }
        }
        Raise(stamp);
        Check.That(stamp % 50 != 0 || Deep(10_000, new object()) == 10_000);
    }

    static bool Filter(Carried carried, int stamp)
    {
        var waste = new byte[1000];
        return waste.Length == 1000 && carried.Stamp == stamp;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Descend(int depth, int stamp, List<string> trail)
    {
        var local = new object[] { depth, stamp };
        try
        {
            if (depth > 1)
            {
                Descend(depth - 1, stamp, trail);
                return;
            }
            try
            {
                _ = (string)local[0];
            }
            catch (InvalidCastException inner)
            {
                throw new Carried(stamp, Check.Filled(500, stamp), inner);
            }
        }
        catch (Carried) when (stamp % 7 == depth % 7)
        {
            throw;
        }
        finally
        {
            trail.Add($"{local[0]}");
            Check.That((int)local[1] == stamp);
        }
    }

    static void Raise(int stamp)
    {
        string? nothing = stamp == 0 ? "" : null;
        int[] numbers = new int[3];
        Check.That(Raises<NullReferenceException>(() => nothing!.Length));
        Check.That(Raises<IndexOutOfRangeException>(() => numbers[stamp + 2]));
        Check.That(Raises<DivideByZeroException>(() => stamp / numbers[0]));
        Check.That(Raises<OverflowException>(() => new byte[-stamp].Length));
        Check.That(Raises<ArrayTypeMismatchException>(() => ((object[])new string[1])[0] = stamp));
    }

    static bool Raises<T>(Func<object> action) where T : Exception
    {
        try
        {
            return action() is null;
        }
        catch (T)
        {
            return true;
        }
    }

    /// <summary>Many frames, with a reference in each, and a collection at the bottom.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Deep(int depth, object above)
    {
        var own = new object();
        if (depth == 0)
        {
            GC.Collect(0);
            return 0;
        }
        int below = Deep(depth - 1, own);
        Check.That(above.GetType() == typeof(object) && own.GetType() == typeof(object) && above != own);
        return below + 1;
    }
}
