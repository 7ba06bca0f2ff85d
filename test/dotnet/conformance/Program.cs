// The conformance program: what C# promises about memory, case by case. Each case prints one line, `name: result`, which does not
// depend on the collector, on timing or on how often it collects; so the same line is expected of every collector in every mode.
//
//     conformance --list        the names, each with the variables that it wants in its environment
//     conformance [--expect COLLECTOR] [NAME...]     these cases, or all that want no variables
//
// With --expect `heapwright` or `stock` nothing is run by another collector than that: the process ends with status 4.
// A case that an exception leaves prints that; one that takes longer than HEAPWRIGHT_CASE_SECONDS (120) ends the process with status 3.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading;

namespace Conformance;

/// A static method without parameters that returns its result. Its name is Class.Method.
[AttributeUsage(AttributeTargets.Method)]
sealed class CaseAttribute : Attribute
{
    /// NAME=VALUE, if the case is to run in a process of its own that has this variable.
    public string? Variable { get; init; }
}

static class Program
{
    sealed record Case(string Name, string? Variable, Func<object?> Run);

    static IEnumerable<Case> Cases() =>
        from type in typeof(Program).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
        let mark = method.GetCustomAttribute<CaseAttribute>()
        where mark != null
        orderby type.Name, method.MetadataToken
        select new Case($"{type.Name}.{method.Name}", mark.Variable, () => method.Invoke(null, null));

    static string current = "";

    static void Watch()
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable("HEAPWRIGHT_CASE_SECONDS"), out int seconds)) seconds = 120;
        string last = "";
        for (int passed = 0; ; passed++)
        {
            if (current != last) (last, passed) = (current, 0);
            if (passed > seconds)
            {
                Console.Error.WriteLine($"{current} took more than {seconds} seconds");
                Environment.Exit(3);
            }
            Thread.Sleep(1000);
        }
    }

    static string Result(Case each)
    {
        try
        {
            return $"{each.Run()}";
        }
        catch (TargetInvocationException exception)
        {
            return $"{exception.InnerException}".ReplaceLineEndings(" | ");
        }
    }

    /// A collector that is not the runtime's names itself; and its library is there.
    static bool IsExpected(string collector)
    {
        bool named = GC.GetConfigurationVariables().Values.Any(each => each is string text && text.StartsWith("heapwright"));
        bool mapped = File.ReadLines("/proc/self/maps").Any(line => line.Contains("/libheapwright-dotnet.so"));
        return collector == "heapwright" ? named && mapped : !named && !mapped;
    }

    static int Main(string[] names)
    {
        if (names.Length >= 2 && names[0] == "--expect")
        {
            if (!IsExpected(names[1]))
            {
                Console.Error.WriteLine($"this does not run on {names[1]}");
                return 4;
            }
            names = names[2..];
        }
        var cases = Cases().ToList();
        if (names is ["--list"])
        {
            foreach (var each in cases) Console.WriteLine($"{each.Name} {each.Variable}".TrimEnd());
            return 0;
        }
        var unknown = names.Except(cases.Select(each => each.Name)).ToList();
        if (unknown.Count > 0)
        {
            Console.Error.WriteLine($"there is no case {unknown[0]}");
            return 2;
        }
        new Thread(Watch) { IsBackground = true }.Start();
        foreach (var each in cases.Where(each => names.Length > 0 ? names.Contains(each.Name) : each.Variable == null))
        {
            current = each.Name;
            Console.WriteLine($"{each.Name}: {Result(each)}");
        }
        return 0;
    }
}
