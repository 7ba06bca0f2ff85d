using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace Soak;

/// <summary>What is loaded, and made, so that it can go again: a context with this program in it once more, an assembly made at run time, a method. When nobody refers to it, it must go.</summary>
sealed class Contexts : Load
{
    const int Most = 60, MostByChance = 20;
    readonly List<WeakReference> unloaded = [];
    readonly Distance distance = new();
    int made;

    public override void Step(Random chance)
    {
        int stamp = ++made;
        unloaded.Add(Load(stamp));
        unloaded.Add(Emit(stamp));
        Check.That(Method(stamp) == 3 * stamp);
        Thread.Sleep(20);
        if (unloaded.Count >= Most)
        {
            distance.Keep();
            Finish();
        }
    }

    public override void Finish()
    {
        Check.That(Check.Eventually(() => unloaded.Count(context => context.IsAlive) <= (Check.ByChance ? MostByChance : 0)), "what was unloaded is gone");
        unloaded.Clear();
    }

    static void CollectNowAndThen(int stamp)
    {
        if (stamp % 16 == 0)
        {
            GC.Collect(0);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference Load(int stamp)
    {
        var context = new AssemblyLoadContext($"guest {stamp}", isCollectible: true);
        Type guest = context.LoadFromAssemblyPath(typeof(Guest).Assembly.Location).GetType(typeof(Guest).FullName!)!;
        Check.That(guest != typeof(Guest));
        object visitor = Activator.CreateInstance(guest, stamp)!;
        CollectNowAndThen(stamp);
        Check.That((int)guest.GetMethod(nameof(Guest.Work))!.Invoke(visitor, [])! == Guest.Expected(stamp));
        context.Unload();
        Check.That((int)guest.GetMethod(nameof(Guest.Work))!.Invoke(visitor, [])! == Guest.Expected(stamp), "an object keeps its context");
        return new WeakReference(context, true);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference Emit(int stamp)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName($"made{stamp}"), AssemblyBuilderAccess.RunAndCollect);
        TypeBuilder builder = assembly.DefineDynamicModule("made").DefineType("Made", TypeAttributes.Public);
        builder.DefineField("Name", typeof(string), FieldAttributes.Public);
        builder.DefineField("Shared", typeof(object), FieldAttributes.Public | FieldAttributes.Static);
        Type type = builder.CreateType();
        var objects = new object[100];
        for (int i = 0; i < objects.Length; i++)
        {
            objects[i] = Activator.CreateInstance(type)!;
            type.GetField("Name")!.SetValue(objects[i], $"{stamp + i}");
        }
        type.GetField("Shared")!.SetValue(null, objects);
        CollectNowAndThen(stamp);
        var shared = (object[])type.GetField("Shared")!.GetValue(null)!;
        Check.That(shared.Select((one, i) => (string)type.GetField("Name")!.GetValue(one)! == $"{stamp + i}").All(same => same));
        return new WeakReference(type);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Method(int stamp)
    {
        var method = new DynamicMethod("triple", typeof(int), [typeof(int)]);
        ILGenerator code = method.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldc_I4_3);
        code.Emit(OpCodes.Mul);
        code.Emit(OpCodes.Ret);
        var triple = method.CreateDelegate<Func<int, int>>();
        CollectNowAndThen(stamp);
        return triple(stamp);
    }
}

/// <summary>What runs inside of a context: statics, statics of a thread, generic types over its own types, a table keyed by its objects.</summary>
public sealed class Guest(int stamp)
{
    sealed record Own(int Number);

    static readonly List<Own> shared = [];
    static readonly ConditionalWeakTable<Own, string> table = [];

    [ThreadStatic]
    static Dictionary<Own, Own>? perThread;

    public int Work()
    {
        perThread ??= [];
        shared.Clear();
        for (int i = 0; i < 100; i++)
        {
            var own = new Own(stamp + i);
            shared.Add(own);
            perThread[own] = own;
            table.AddOrUpdate(own, $"{own.Number}");
        }
        return shared.Sum(own => perThread[own].Number + (table.TryGetValue(own, out string? text) ? int.Parse(text) : 0));
    }

    public static int Expected(int stamp) => 2 * (100 * stamp + 4950);
}
