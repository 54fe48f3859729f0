"""The report."""
from bench.peers.measure import Figures
def write(name, figures: list[Figures], dry: bool) -> None:
    by={(f.kind.name,f.operation.name):f for f in figures}
    for f in figures:
        pg=by.get(('postgraphile',f.operation.name)); fl=by.get(('floor',f.operation.name))
        print(f.operation.name, f"{f.kind.name:22}", *(f"{f.median(n):8.2f}" for n in ("server_ms","postgres_ms","both_ms","per_second","p50_ms","p99_ms","memory_mb")), f.statements, f"{f.ratio(pg):.2f}" if pg else '', f"{f.ratio(fl):.2f}" if fl else '')
