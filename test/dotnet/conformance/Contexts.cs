using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace Conformance;

/// What is loaded into a collectible context: this assembly, once more, so its types are others.
public sealed class Plugin
{
    static readonly List<string> statics = [.. Enumerable.Range(0, 100).Select(i => $"static {i}")];
    [ThreadStatic] static string? own;
    readonly string text = new('p', 6);

    public string Say()
    {
        own ??= new string('t', 3);
        return $"{text} {statics[99]} {own}";
    }
}

/// Collectible AssemblyLoadContexts, and types made at run time.
static class Contexts
{
    /// An object of the Plugin of a context of its own.
    static (WeakReference Context, object Plugin) Load()
    {
        var context = new AssemblyLoadContext("plugin", isCollectible: true);
        var type = context.LoadFromAssemblyPath(typeof(Plugin).Assembly.Location).GetType(typeof(Plugin).FullName!)!;
        object plugin = Activator.CreateInstance(type)!;
        context.Unload();
        return (new WeakReference(context, true), plugin);
    }

    static string Say(object plugin) => (string)plugin.GetType().GetMethod("Say")!.Invoke(plugin, null)!;

    [Case]
    static object Unloaded()
    {
        var weak = Help.OnThread(() =>
        {
            var (context, plugin) = Load();
            return Say(plugin).Length > 0 ? context : null!;
        });
        return Help.Dies(weak);
    }

    [Case]
    static object AnObjectHoldsItsContext()
    {
        object? plugin = null;
        var weak = Help.OnThread(() =>
        {
            (var context, plugin) = Load();
            return context;
        });
        for (int i = 0; i < 3; i++) Help.Collect();
        Help.Churn();
        string said = Say(plugin!);
        bool other = plugin!.GetType() != typeof(Plugin);
        plugin = null;
        return $"{said}, another type {other}";
    }

    [Case]
    static object ADelegateHoldsItsContext()
    {
        var say = Help.OnThread(() =>
        {
            var (_, plugin) = Load();
            return plugin.GetType().GetMethod("Say")!.CreateDelegate<Func<string>>(plugin);
        });
        for (int i = 0; i < 3; i++) Help.Collect();
        Help.Churn();
        return say();
    }

    [Case]
    static object AnArrayOfItsTypeHoldsItsContext()
    {
        var array = Help.OnThread(() => Array.CreateInstance(Load().Plugin.GetType(), 4));
        for (int i = 0; i < 3; i++) Help.Collect();
        Help.Churn();
        array.SetValue(Activator.CreateInstance(array.GetType().GetElementType()!), 2);
        return Say(array.GetValue(2)!);
    }

    [Case]
    static object SeveralOneAfterTheOther()
    {
        var weak = Enumerable.Range(0, 4).Select(_ => Help.OnThread(() =>
        {
            var (context, plugin) = Load();
            return Say(plugin).Length > 0 ? context : null!;
        })).ToArray();
        return Help.Comes(() => weak.All(each => !each.IsAlive));
    }

    static Type Emit(int number)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName($"made {number}"), AssemblyBuilderAccess.RunAndCollect);
        var type = assembly.DefineDynamicModule("made").DefineType($"Made{number}", TypeAttributes.Public);
        type.DefineField("Kept", typeof(object), FieldAttributes.Public | FieldAttributes.Static);
        type.DefineField("Own", typeof(string), FieldAttributes.Public);
        return type.CreateType();
    }

    [Case]
    static object TypesMadeAtRunTimeDie()
    {
        var weak = Help.OnThread(() =>
        {
            var type = Emit(1);
            type.GetField("Kept")!.SetValue(null, new byte[100]);
            return new WeakReference(Activator.CreateInstance(type)!.GetType().Assembly);
        });
        return Help.Dies(weak);
    }

    [Case]
    static object TypesMadeAtRunTimeStay()
    {
        var made = Help.OnThread(() => Enumerable.Range(0, 20).Select(i =>
        {
            var type = Emit(i);
            object instance = Activator.CreateInstance(type)!;
            type.GetField("Kept")!.SetValue(null, $"static {i}");
            type.GetField("Own")!.SetValue(instance, $"own {i}");
            return instance;
        }).ToArray());
        Help.Collect();
        Help.Churn();
        return made.Where((each, i) => (string)each.GetType().GetField("Kept")!.GetValue(null)! == $"static {i}" &&
            (string)each.GetType().GetField("Own")!.GetValue(each)! == $"own {i}").Count();
    }

    [Case]
    static object DynamicMethodsDie()
    {
        var weak = Help.OnThread(() =>
        {
            var method = new DynamicMethod("add", typeof(int), [typeof(int)]);
            var code = method.GetILGenerator();
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ldc_I4_1);
            code.Emit(OpCodes.Add);
            code.Emit(OpCodes.Ret);
            var add = method.CreateDelegate<Func<int, int>>();
            return add(1) == 2 ? new WeakReference(add) : null!;
        });
        return Help.Dies(weak);
    }
}
