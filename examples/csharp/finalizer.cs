// A finalizer (in C#: a destructor) runs some time after its object has died: when a collection has found that out, on a thread that
// does nothing else. Dispose is for those who want to say when; it also tells the collector that no finalizer is needed any more.
#:property PublishAot=false
using System.Runtime.CompilerServices;

class Resource(string name) : IDisposable
{
    public static int MainThread;

    public void Dispose()
    {
        Console.WriteLine($"  {name} is disposed of, on the main thread: {Environment.CurrentManagedThreadId == MainThread}");
        GC.SuppressFinalize(this);
    }

    ~Resource() => Console.WriteLine($"  {name} is finalized, on the main thread: {Environment.CurrentManagedThreadId == MainThread}");
}

class Finalizer
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Drop(string name) => _ = new Resource(name);

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Use(string name)
    {
        using var resource = new Resource(name);
    }

    static void Main()
    {
        Resource.MainThread = Environment.CurrentManagedThreadId;

        Console.WriteLine("dropped:");
        Drop("the first");
        Console.WriteLine("  nothing has happened yet");
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Console.WriteLine("used and disposed of:");
        Use("the second");
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Console.WriteLine("dropped just before the end: finalizers do not run at exit");
        Drop("the third");
    }
}
