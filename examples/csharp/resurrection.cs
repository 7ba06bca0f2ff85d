// A finalizer may make its object reachable again. It will not run a second time then, unless it is registered again. What the object
// refers to is there all the while: an object is only freed by a collection that finds nothing left that could use it.
#:property PublishAot=false
using System.Runtime.CompilerServices;

class Phoenix(int lives)
{
    public static Phoenix? Risen;
    readonly string song = "a song that it has kept";
    int lives = lives;

    ~Phoenix()
    {
        lives--;
        Console.WriteLine($"  finalizer runs, {lives} left");
        Risen = this;
        if (lives > 0) GC.ReRegisterForFinalize(this);
    }

    public string Sing() => song;
}

class Resurrection
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference Make() => new(new Phoenix(2), trackResurrection: true);

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Look()
    {
        Console.WriteLine($"  risen: {Phoenix.Risen != null}, with {Phoenix.Risen?.Sing() ?? "nothing"}");
        Phoenix.Risen = null;
    }

    static void Main()
    {
        WeakReference watch = Make();
        for (int round = 1; round <= 3; round++)
        {
            Console.WriteLine($"collection {round}:");
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Look();
        }
        Console.WriteLine($"alive at the end: {watch.IsAlive}");
    }
}
