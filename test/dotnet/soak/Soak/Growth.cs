namespace Soak;

/// <summary>
/// What lives after a full collection, and what is resident, in each tenth of a run; all figures are bytes. What is alive on purpose is so from the first tenths on, so the last two tenths may have a quarter more than the
/// second to the fourth, for what is alive by chance; of resident memory, half as much again.
/// </summary>
sealed class Growth
{
    const double Mebi = 1 << 20, LivingSlack = 48 * Mebi, ResidentSlack = 96 * Mebi;
    readonly List<(double Living, double Resident)> tenths = [];

    public void Note(int tenth, double living, double resident, double peak, string collections)
    {
        tenths.Add((living, resident));
        Console.WriteLine($"{tenth}/10: {living / Mebi:f1} MiB alive, {resident / Mebi:f1} resident, {peak / Mebi:f1} at most; collections {collections}");
    }

    public void Judge()
    {
        var early = tenths.Skip(1).Take(3).ToList();
        var late = tenths.TakeLast(2).ToList();
        Check.That(late.Max(tenth => tenth.Living) <= 1.25 * early.Max(tenth => tenth.Living) + LivingSlack, "what is alive does not grow");
        Check.That(late.Max(tenth => tenth.Resident) <= 1.5 * early.Max(tenth => tenth.Resident) + ResidentSlack, "what is resident does not grow");
    }
}
