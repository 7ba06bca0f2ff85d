using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Soak;

/// <summary>Some memory is not what it must be.</summary>
sealed class Wrong(string what) : Exception(what);

/// <summary>
/// What one thread does again and again until the time is over. A load keeps a bounded set of objects alive, knows what must be in them, and throws Wrong if something else is.
/// </summary>
abstract class Load
{
    public abstract void Step(Random chance);

    /// <summary>Called once in the end, by the same thread: checks what can only be checked when all is done.</summary>
    public virtual void Finish()
    {
    }
}

static class Check
{
    /// <summary>If stacks are scanned for whatever looks like a reference, some objects outlive their last reference by chance.</summary>
    public static readonly bool ByChance = Environment.GetEnvironmentVariable("DOTNET_gcConservative") == "1";

    public static void That(bool holds, [CallerArgumentExpression(nameof(holds))] string what = "", [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        if (!holds)
        {
            throw new Wrong($"{Path.GetFileName(file)}:{line}: not so: {what}");
        }
    }

    /// <summary>Fills memory with bytes that depend on the stamp and on their place.</summary>
    public static void Fill(Span<byte> bytes, int stamp)
    {
        uint next = (uint)stamp | 1;
        foreach (ref byte place in bytes)
        {
            next ^= next << 13;
            next ^= next >> 17;
            next ^= next << 5;
            place = (byte)next;
        }
    }

    public static bool IsFilled(ReadOnlySpan<byte> bytes, int stamp)
    {
        uint next = (uint)stamp | 1;
        foreach (byte found in bytes)
        {
            next ^= next << 13;
            next ^= next >> 17;
            next ^= next << 5;
            if (found != (byte)next)
            {
                return false;
            }
        }
        return true;
    }

    public static byte[] Filled(int length, int stamp)
    {
        var bytes = new byte[length];
        Fill(bytes, stamp);
        return bytes;
    }

    /// <summary>A full collection, finalizers, and what they have left.</summary>
    public static void CollectAll()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    /// <summary>Collects until the condition holds. False if it does not in twenty collections.</summary>
    public static bool Eventually(Func<bool> condition)
    {
        for (int i = 0; i < 20; i++)
        {
            CollectAll();
            if (condition())
            {
                return true;
            }
        }
        return false;
    }
}

/// <summary>
/// Full collections that a load asks for come at a distance: if there were no others, nothing would ever be collected by generations.
/// </summary>
sealed class Distance
{
    static readonly TimeSpan least = TimeSpan.FromSeconds(8);
    long last = Stopwatch.GetTimestamp();

    public void Keep()
    {
        TimeSpan rest = least - Stopwatch.GetElapsedTime(last);
        if (rest > TimeSpan.Zero)
        {
            Thread.Sleep(rest);
        }
        last = Stopwatch.GetTimestamp();
    }
}
