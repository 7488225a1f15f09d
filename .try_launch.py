import sys, time, tempfile, shutil
from pathlib import Path
from tests.tiny import save_tiny_base
from tests.launch.parts import Part, prepared
from atanor.launch import LAUNCHERS, LaunchKind, launch
from atanor.progress import Silent
from atanor.train import train, Group, Sharding
root=Path("/tmp/launch-try"); shutil.rmtree(root, ignore_errors=True); root.mkdir()
base=save_tiny_base(root/"base")
what=sys.argv[1]; kind=LaunchKind(sys.argv[2]); sharding=Sharding(sys.argv[3]); loop=sys.argv[4]
part=Part(str(base), what, dict(epochs=2.5,batch=4,learning_rate=3e-3,validate_every=3,patience=0,keep_checkpoints=13,loop=loop))
one=train(part.job(root/"one", Group()), Silent())
class Loud(Silent):
    def say(self, m): print("SAY", m)
spec=prepared(root/"two", part, sharding=sharding)
t=time.time()
try:
    launch(LAUNCHERS[kind], spec, Loud())
except BaseException as e:
    print(type(e), e)
    for f in spec.control.rglob("*.log"): print(f, f.read_text()[-3000:])
    raise SystemExit(1)
print("seconds", time.time()-t)
two=train(part.job(root/"two", Group()), Silent())
print(max(abs(a-b) for (_,a),(_,b) in zip(one.train_loss,two.train_loss)), max(abs(a-b) for (_,a),(_,b) in zip(one.validation_loss,two.validation_loss)), one.steps,two.steps,one.train_loss[-1],two.train_loss[-1], two.peak_memory_bytes/1e6, one.peak_memory_bytes/1e6)
