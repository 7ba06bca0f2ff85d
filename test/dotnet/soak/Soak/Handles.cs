using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Soak;

/// <summary>
/// Handles of all kinds on objects that are held by some of them. While an object lives, all its handles lead to it; when it is dropped and everything was collected, the weak ones lead nowhere, and what was alive by
/// dependent handles only is gone as well.
/// </summary>
sealed class Handles : Load
{
    const int Living = 500, MostDropped = 1000, Links = 20;

    sealed class Target(int stamp)
    {
        public readonly int Stamp = stamp;
        public readonly string Text = $"{stamp}";
    }

    /// <summary>What leads to one object: a strong handle on it, and all others.</summary>
    sealed class Set
    {
        static readonly ConditionalWeakTable<object, Target> table = [];

        readonly int stamp;
        readonly bool counted;
        GCHandle strong, weak, longWeak;
        WeakGCHandle<Target> typed;
        readonly WeakReference<Target> reference, longReference;
        DependentHandle dependent;
        readonly WeakReference<Target> attached;
        readonly WeakReference<Target> endOfChain;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Set(int stamp)
        {
            this.stamp = stamp;
            var target = new Target(stamp);
            strong = GCHandle.Alloc(target);
            weak = GCHandle.Alloc(target, GCHandleType.Weak);
            longWeak = GCHandle.Alloc(target, GCHandleType.WeakTrackResurrection);
            typed = new WeakGCHandle<Target>(target);
            reference = new WeakReference<Target>(target);
            longReference = new WeakReference<Target>(target, true);
            dependent = new DependentHandle(target, new Target(-stamp));

            var link = new Target(stamp + 1);
            attached = new WeakReference<Target>(link);
            table.Add(target, link);
            counted = stamp % 10 == 0;
            for (int i = 2; counted && i < Links; i++)
            {
                var next = new Target(stamp + i);
                table.Add(link, next);
                link = next;
            }
            endOfChain = new WeakReference<Target>(link);
        }

        public bool IsWhole()
        {
            var target = (Target)strong.Target!;
            (object? key, object? value) = dependent.TargetAndDependent;
            bool same = target.Stamp == stamp && target.Text == $"{stamp}" && weak.Target == target && longWeak.Target == target && typed.TryGetTarget(out Target? third) && third == target
                && reference.TryGetTarget(out Target? first) && first == target && longReference.TryGetTarget(out Target? second) && second == target && key == target && value is Target { Stamp: var negative } && negative == -stamp;
            Target link = target;
            for (int i = 1; same && i < (counted ? Links : 2); i++)
            {
                same = table.TryGetValue(link, out Target? next) && next.Stamp == stamp + i && next.Text == $"{stamp + i}";
                link = next!;
            }
            return same && endOfChain.TryGetTarget(out Target? end) && end == link;
        }

        public void Drop() => strong.Free();

        /// <summary>After Drop and a full collection.</summary>
        public bool LeadsNowhere()
        {
            (object? key, object? value) = dependent.TargetAndDependent;
            return weak.Target == null && longWeak.Target == null && !typed.TryGetTarget(out _) && !reference.TryGetTarget(out _) && !longReference.TryGetTarget(out _) && key == null && value == null
                && !attached.TryGetTarget(out _) && !endOfChain.TryGetTarget(out _);
        }

        public void Free()
        {
            weak.Free();
            longWeak.Free();
            typed.Dispose();
            dependent.Dispose();
        }
    }

    readonly Set[] living = new Set[Living];
    readonly List<Set> dropped = [];
    int made;
    readonly Distance distance = new();

    public override void Step(Random chance)
    {
        for (int i = 0; i < 20; i++)
        {
            ref Set place = ref living[chance.Next(Living)];
            if (place != null)
            {
                Check.That(place.IsWhole());
                place.Drop();
                dropped.Add(place);
            }
            place = new Set(made += Links);
        }
        if (dropped.Count >= MostDropped)
        {
            distance.Keep();
            Finish();
        }
    }

    public override void Finish()
    {
        int mayBeLeft = Check.ByChance ? 50 : 0;
        Check.That(Check.Eventually(() => dropped.Count(set => !set.LeadsNowhere()) <= mayBeLeft), "weak handles on what was dropped lead nowhere");
        dropped.ForEach(set => set.Free());
        dropped.Clear();
        Check.That(living.All(set => set == null || set.IsWhole()));
    }
}
