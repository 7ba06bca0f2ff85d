using System;
using System.Collections.Generic;
using System.Linq;

namespace Conformance;

/// No memory is an exception, after which the program goes on.
static class OutOfMemory
{
    const string Limit = "DOTNET_GCHeapHardLimit=C800000"; // 200 MiB

    [Case(Variable = Limit)]
    static object ArraysThatCannotBe() => string.Join(" ", Help.Thrown(() => GC.KeepAlive(new byte[(long)int.MaxValue])),
        Help.Thrown(() => GC.KeepAlive(new byte[-Environment.ProcessorCount])),
        Help.Thrown(() => GC.KeepAlive(new string('x', int.MaxValue))));

    static int Fill(Func<int, object> make)
    {
        var kept = new List<object>();
        try
        {
            for (int i = 0; i < 100_000_000; i++) kept.Add(make(i));
        }
        catch (OutOfMemoryException)
        {
            int count = kept.Count;
            kept.Clear();
            return count;
        }
        return -1;
    }

    [Case(Variable = Limit)]
    static object LargeOnes()
    {
        int first = Fill(i => new byte[10_000_000]), second = Fill(i => new byte[10_000_000]);
        return $"{first is > 5 and <= 21} {second is > 5 and <= 21}";
    }

    [Case(Variable = Limit)]
    static object OneThatIsTooLarge()
    {
        string thrown = Help.Thrown(() => GC.KeepAlive(new byte[400_000_000]));
        return $"{thrown}, and then {new byte[1_000_000].Length}";
    }

    [Case(Variable = Limit)]
    static object SmallOnes()
    {
        int first = Help.OnThread(() => Fill(i => new byte[1000])), second = Help.OnThread(() => Fill(i => new byte[1000]));
        return $"{first > 50_000} {second > 50_000}";
    }

    [Case(Variable = Limit)]
    static object OfSeveralThreads()
    {
        int thrown = 0;
        var threads = Enumerable.Range(0, 3).Select(_ => new System.Threading.Thread(() =>
        {
            if (Fill(i => new byte[100_000]) >= 0) System.Threading.Interlocked.Increment(ref thrown);
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Help.Collect();
        return $"{thrown} {new byte[10_000_000].Length}";
    }

    [Case(Variable = Limit)]
    static object MemoryInformationKnowsTheLimit() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes == 0xC800000;

    static string Refreshed(ulong limit)
    {
        AppContext.SetData("GCHeapHardLimit", limit);
        return Help.Thrown(GC.RefreshMemoryLimit);
    }

    [Case(Variable = Limit)]
    static object LimitIsRaised()
    {
        string raised = Refreshed(400_000_000);
        int more = Fill(i => new byte[10_000_000]);
        return $"{raised} {more is > 25 and <= 40}, and below what there is: {Refreshed(1000)}";
    }

    [Case]
    static object StacksThatEndAreNoMatter() => Help.OnThread(() => Help.Thrown(() => System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack()), 1 << 20);
}
