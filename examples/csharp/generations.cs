// Most objects die young. So a collector looks at young ones often and at old ones seldom: what survives gets older, up to generation 2. Large
// objects belong to the oldest generation from the start. A collection of a generation takes the younger ones with it, and leaves older ones be.
#:property PublishAot=false
using System.Runtime.CompilerServices;

class Generations
{
    static object? kept;

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference Old()
    {
        kept = new object();
        GC.Collect();
        GC.Collect();
        Console.WriteLine($"after two full collections:  generation {GC.GetGeneration(kept)}");
        var watch = new WeakReference(kept);
        kept = null;
        return watch;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference Young() => new(new object());

    static void Main()
    {
        Console.WriteLine($"the oldest generation:       {GC.MaxGeneration}");
        Console.WriteLine($"a new object:                generation {GC.GetGeneration(new object())}");
        Console.WriteLine($"a new array of 100 KB:       generation {GC.GetGeneration(new byte[100_000])}");

        WeakReference old = Old(), young = Young();
        GC.Collect(0);
        Console.WriteLine($"a collection of generation 0: a dead young object alive {young.IsAlive}, a dead old one alive {old.IsAlive}");
        GC.Collect(2);
        Console.WriteLine($"a collection of generation 2: a dead old one alive {old.IsAlive}");

        int[] before = [GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2)];
        GC.Collect(1);
        Console.WriteLine($"a collection of generation 1 counts for generation 0: {GC.CollectionCount(0) > before[0]}, " +
                          $"1: {GC.CollectionCount(1) > before[1]}, 2: {GC.CollectionCount(2) > before[2]}");
    }
}
