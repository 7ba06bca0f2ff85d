// Soak mixed --minutes M [--loads NAMES] [--seed N]: loads of all kinds at once, each checking what it keeps.
// Soak client ADDRESS --minutes M: a load of requests for the server beside this program, whose answers are checked.
// What is wrong ends the program with a message and status 1.
using System.Globalization;
using Soak;

try
{
    var options = new Options(args);
    switch (options.Words)
    {
        case ["mixed"]:
            Mixed.Run(options.Minutes, options.Loads, options.Seed);
            break;
        case ["client", string address]:
            await Client.Run(new Uri(address), options.Minutes, options.Seed);
            break;
        default:
            throw new ArgumentException("Soak mixed|client ADDRESS --minutes M [--loads NAMES] [--seed N]");
    }
    return 0;
}
catch (Exception problem)
{
    Console.Error.WriteLine($"soak: {problem}");
    return 1;
}

sealed class Options
{
    public List<string> Words { get; } = [];
    public double Minutes { get; } = 1;
    public int Seed { get; } = 1;
    public string[]? Loads { get; }

    public Options(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--minutes":
                    Minutes = double.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "--seed":
                    Seed = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "--loads":
                    Loads = args[++i].Split(',');
                    break;
                default:
                    Words.Add(args[i]);
                    break;
            }
        }
    }
}
