## The workloads of cycles.c in Nim, for its collector ORC: cycles WORKLOAD COUNT REPETITIONS
##
## To be compiled with `-d:danger --mm:orc`.

import std/[os, posix, strutils]

type Node = ref object
  a, b: Node

proc now(): float =
  var time: Timespec
  discard clock_gettime(CLOCK_THREAD_CPUTIME_ID, time)
  float(time.tv_sec) * 1e9 + float(time.tv_nsec)

template timed(row: string, objects: int, work: untyped) =
  let start = now()
  work
  echo row, " ", (now() - start) / float(objects)

proc makeTwoCycles(count: int) =
  for _ in 1 .. count:
    let x = Node()
    let y = Node()
    x.a = y
    y.a = x

proc makeRing(count: int) =
  let first = Node()
  var last = first
  for _ in 2 .. count:
    let node = Node()
    node.a = last
    last.b = node
    last = node
  first.a = last
  last.b = first

proc makeAcyclicPairs(count: int) =
  for _ in 1 .. count:
    let x = Node()
    let y = Node()
    x.a = y

proc repetition(workload: string, count: int) =
  if workload == "automatic":
    GC_enableOrc()
  else:
    GC_disableOrc()
  case workload
  of "2-cycles":
    timed "2-cycles-create", 2 * count: makeTwoCycles(count)
    timed "2-cycles-collect", 2 * count: GC_fullCollect()
  of "ring":
    timed "ring-create", count: makeRing(count)
    timed "ring-collect", count: GC_fullCollect()
  of "acyclic":
    timed "acyclic", 2 * count: makeAcyclicPairs(count)
  of "automatic":
    timed "automatic", 2 * count:
      makeTwoCycles(count)
      GC_fullCollect()
  else:
    quit "cycles: no such workload"

proc main() =
  if paramCount() != 3:
    quit "usage: cycles WORKLOAD COUNT REPETITIONS"
  let
    workload = paramStr(1)
    count = parseInt(paramStr(2))
    kept = Node() # or its allocator would give back the only page and take it again with every acyclic pair
  for _ in 1 .. parseInt(paramStr(3)):
    let occupied = getOccupiedMem()
    repetition(workload, count)
    if getOccupiedMem() > occupied + count:
      quit "cycles: the garbage is still there"
  doAssert kept.a == nil # so that it is not let go of before

main()
