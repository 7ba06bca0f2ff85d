// An object lives as long as something refers to it, and some time longer: nobody counts, so nobody notices the moment when the
// last reference goes. The next collection does.
#:property PublishAot=false
using System.Runtime.CompilerServices;

class Dropped
{
    static byte[]? kept;

    // In a method of its own, so that no variable of Main's refers to the array.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference Make()
    {
        kept = new byte[1000];
        return new WeakReference(kept);
    }

    static void Main()
    {
        WeakReference watch = Make();
        GC.Collect();
        Console.WriteLine($"while a static field refers to it:  alive {watch.IsAlive}");

        kept = null;
        Console.WriteLine($"dropped, not collected yet:         alive {watch.IsAlive}");

        GC.Collect();
        Console.WriteLine($"after a collection:                 alive {watch.IsAlive}");
    }
}
