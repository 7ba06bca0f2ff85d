// What cases share. An object is known to be dead only if no stack can still refer to it: with a conservative collector any word that
// was left on the stack of this thread may. So objects that are to die are made by threads that end, and asked for by others.
using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading;

namespace Conformance;

static class Help
{
    const int PatienceSeconds = 60;

    /// Runs `work` on a thread of its own and gives its result, or its exception.
    public static T OnThread<T>(Func<T> work, int stack = 0)
    {
        T result = default!;
        ExceptionDispatchInfo? thrown = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception exception)
            {
                thrown = ExceptionDispatchInfo.Capture(exception);
            }
        }, stack);
        thread.Start();
        thread.Join();
        thrown?.Throw();
        return result;
    }

    public static void OnThread(Action work, int stack = 0) => OnThread(() => { work(); return 0; }, stack);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    /// Collects until the condition holds, which is looked at on a thread of its own; false if it never does.
    public static bool Comes(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        for (int round = 0; clock.Elapsed.TotalSeconds < PatienceSeconds; round++)
        {
            Collect();
            if (OnThread(condition)) return true;
            if (round > 5) Thread.Sleep(10);
        }
        return false;
    }

    /// Whether what `weak` refers to dies.
    public static bool Dies(WeakReference weak) => Comes(() => !weak.IsAlive);

    /// Waits for something that another thread does.
    public static bool Waits(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed.TotalSeconds > PatienceSeconds) return false;
            Thread.Sleep(1);
        }
        return true;
    }

    /// Makes garbage of many sizes, so that memory that was freed by mistake is overwritten.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Churn(int count = 2000)
    {
        for (int i = 0; i < count; i++)
        {
            var bytes = new byte[16 + i % 300];
            Array.Fill(bytes, (byte)0xa5);
            var text = new string('#', i % 50);
            GC.KeepAlive(text);
        }
    }

    /// The name of the exception that `work` ends with.
    public static string Thrown(Action work)
    {
        try
        {
            work();
            return "nothing";
        }
        catch (Exception exception)
        {
            return exception.GetType().Name;
        }
    }
}
