using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.ConstrainedExecution;

namespace Soak;

/// <summary>
/// Objects with finalizers, dropped by the batch. Each is finalized once, twice if it was revived and registered again, never if that was suppressed, and finds in its finalizer what it refers to as it was.
/// A batch is done when all of its objects are.
/// </summary>
sealed class Finalizers : Load
{
    const int Size = 64, MostBatches = 1000;

    enum Way
    {
        Plain,
        Critical,
        Suppressed,
        Restored,
        Revived,
    }

    /// <summary>What is to be said of the objects of a batch: how often each is still to be finalized.</summary>
    sealed class Batch
    {
        readonly int[] due = new int[Size];
        int left;

        public bool IsDone => Volatile.Read(ref left) == 0;

        public int Left => Volatile.Read(ref left);

        public void Expect(int number, int times)
        {
            due[number] = times;
            Interlocked.Add(ref left, times);
        }

        public void Note(int number)
        {
            Check.That(Interlocked.Decrement(ref due[number]) >= 0, "an object is finalized no more often than it should be");
            Interlocked.Decrement(ref left);
        }
    }

    /// <summary>What an object has to do in its finalizer, and with what. An exception there ends the process.</summary>
    sealed class Part(Batch batch, int number, Way way)
    {
        readonly byte[] payload = Check.Filled(number * 3, number);
        public object? Partner;
        bool revived;

        public void Finalize(object owner)
        {
            Check.That(Check.IsFilled(payload, number) && (Partner is null or Plain or Critical), "what a finalizer sees is whole");
            batch.Note(number);
            if (way == Way.Revived && !revived)
            {
                revived = true;
                returned.Enqueue(owner);
                GC.ReRegisterForFinalize(owner);
            }
        }
    }

    sealed class Plain(Part part)
    {
        public readonly Part Part = part;

        ~Plain() => Part.Finalize(this);
    }

    sealed class Critical(Part part) : CriticalFinalizerObject
    {
        readonly Part part = part;

        ~Critical() => part.Finalize(this);
    }

    static readonly ConcurrentQueue<object> returned = new();
    readonly List<Batch> batches = [];
    readonly Distance distance = new();

    public override void Step(Random chance)
    {
        batches.Add(Drop(chance));
        while (returned.TryDequeue(out object? revived))
        {
            Check.That(revived is Plain);
        }
        batches.RemoveAll(batch => batch.IsDone);
        if (batches.Count > MostBatches)
        {
            distance.Keep();
            Finish();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static Batch Drop(Random chance)
    {
        var batch = new Batch();
        Plain? before = null;
        for (int i = 0; i < Size; i++)
        {
            var way = (Way)chance.Next(5);
            batch.Expect(i, way switch { Way.Suppressed => 0, Way.Revived => 2, _ => 1 });
            var part = new Part(batch, i, way) { Partner = before };
            if (way == Way.Critical)
            {
                _ = new Critical(part);
                continue;
            }
            var made = new Plain(part);
            if (way is Way.Suppressed or Way.Restored)
            {
                GC.SuppressFinalize(made);
            }
            if (way == Way.Restored)
            {
                GC.ReRegisterForFinalize(made);
            }
            if (before != null && chance.Next(2) == 0)
            {
                before.Part.Partner = made;
            }
            before = made;
        }
        return batch;
    }

    public override void Finish()
    {
        int mayBeLeft = Check.ByChance ? 50 * Size : 0;
        Check.That(Check.Eventually(() =>
        {
            returned.Clear();
            return batches.Sum(batch => batch.Left) <= mayBeLeft;
        }), "all that was dropped is finalized");
        batches.Clear();
    }
}
