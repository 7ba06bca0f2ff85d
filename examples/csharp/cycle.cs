// Objects that refer to each other die like all others, when nothing outside refers to them. A collector that counts references needs
// help with them (examples/python/cycles.py); one that traces does not even notice.
#:property PublishAot=false
using System.Runtime.CompilerServices;

class Node(string name)
{
    public Node? Next;
    public override string ToString() => name;
}

class Cycle
{
    static Node? held;

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference[] Make()
    {
        var ring = new Node[] { new("a"), new("b"), new("c") };
        for (int i = 0; i < ring.Length; i++) ring[i].Next = ring[(i + 1) % ring.Length];
        held = ring[1];
        return [.. ring.Select(node => new WeakReference(node))];
    }

    static string Alive(WeakReference[] watched) => string.Join(" ", watched.Select(each => each.IsAlive));

    static void Main()
    {
        WeakReference[] watched = Make();
        GC.Collect();
        Console.WriteLine($"one of three is held, and {held!.Next!.Next!.Next} leads back to itself:  alive {Alive(watched)}");
        held = null;
        GC.Collect();
        Console.WriteLine($"none is held:                                      alive {Alive(watched)}");
    }
}
