// A variable keeps its object alive until its last use, not until the end of its block: code that is optimised drops it as soon as it can. An
// object that stands for something outside (a file, a window) may so be finalized while its own method still runs. GC.KeepAlive is a use that
// does nothing else.
#:property PublishAot=false
using System.Runtime.CompilerServices;

class File(string name)
{
    ~File() => Console.WriteLine($"  {name} is closed by its finalizer");
}

class KeepAlive
{
    static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    // Optimised at once; otherwise the runtime optimises what has been called often, and until then keeps variables to the end.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    static void Without()
    {
        var file = new File("the first");
        Console.WriteLine($"  the variable is there: {file != null}");
        Collect();
        Console.WriteLine("  the method still runs");
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    static void With()
    {
        var file = new File("the second");
        Console.WriteLine($"  the variable is there: {file != null}");
        Collect();
        Console.WriteLine("  the method still runs");
        GC.KeepAlive(file);
    }

    static void Main()
    {
        Console.WriteLine("without GC.KeepAlive:");
        Without();
        Console.WriteLine("with GC.KeepAlive:");
        With();
        Console.WriteLine("afterwards:");
        Collect();
    }
}
