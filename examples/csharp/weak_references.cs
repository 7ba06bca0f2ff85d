// A weak reference does not keep its target alive. A short one is cleared when the target is found dead, before its finalizer runs; a long
// one only when nothing, not even a finalizer, can reach it any more. A ConditionalWeakTable adds something to an object for as long as
// that lives.
#:property PublishAot=false
using System.Runtime.CompilerServices;

class Target
{
    public static Target? Saved;
    ~Target() => Saved = this;
}

class WeakReferences
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    static (WeakReference Short, WeakReference Long) Make()
    {
        var target = new Target();
        return (new WeakReference(target), new WeakReference(target, trackResurrection: true));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void AddLost(ConditionalWeakTable<object, string> table) => table.Add(new object(), "to an object that is lost");

    static void Show(string when, WeakReference shorter, WeakReference longer) =>
        Console.WriteLine($"{when,-42} short {shorter.IsAlive,-5}  long {longer.IsAlive}");

    static void Main()
    {
        var (shorter, longer) = Make();
        Show("made:", shorter, longer);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Show("dead, and saved by its finalizer:", shorter, longer);
        Target.Saved = null;
        GC.Collect();
        Show("dropped once more:", shorter, longer);

        var table = new ConditionalWeakTable<object, string>();
        var key = new object();
        table.Add(key, "to an object that is kept");
        AddLost(table);
        Console.WriteLine($"entries of the table:  {table.Count()}");
        GC.Collect();
        GC.Collect();
        Console.WriteLine($"after a collection:    {table.Count()}, added {table.First().Value}");
        GC.KeepAlive(key);
    }
}
