namespace Bench;

/// <summary>Binary trees, as in the Computer Language Benchmarks Game: one tree that lives long, and many that are built, walked and dropped.</summary>
static class BinaryTrees
{
    const int Least = 4;

    sealed class Node(Node? left, Node? right)
    {
        readonly Node? left = left, right = right;

        public static Node Tree(int depth) => depth == 0 ? new Node(null, null) : new Node(Tree(depth - 1), Tree(depth - 1));

        public int Count() => left == null ? 1 : 1 + left.Count() + right!.Count();
    }

    public static void Run(int depth)
    {
        Check(Node.Tree(depth + 1).Count(), depth + 1, 1);
        Node living = Node.Tree(depth);
        for (int small = Least; small <= depth; small += 4)
        {
            int trees = 1 << (depth - small + Least);
            long nodes = 0;
            for (int i = 0; i < trees; i++)
            {
                nodes += Node.Tree(small).Count();
                Pauses.Look();
            }
            Check(nodes, small, trees);
        }
        Check(living.Count(), depth, 1);
    }

    static void Check(long nodes, int depth, int trees)
    {
        if (nodes != trees * ((2L << depth) - 1))
        {
            throw new InvalidOperationException($"{trees} trees of depth {depth} have {nodes} nodes");
        }
    }
}
