"""Packages of npm: downloaded once, and kept."""
import os, shutil, subprocess

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "thrum-tests")
DOWNLOAD_S = 120


def npm_folder(name, *packages):
    """Where these are (its node_modules); None when that is not possible, after saying why."""
    folder = os.path.join(CACHE, name)
    modules = os.path.join(folder, "node_modules")
    is_there = lambda: all(os.path.exists(os.path.join(modules, package.rsplit("@", 1)[0] or package, "package.json")) for package in packages)
    if is_there():
        return modules
    if not shutil.which("npm"):
        print(f"skipped: {name}: there is no npm to get it with")
        return None
    os.makedirs(folder, exist_ok=True)
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, *packages],
                              capture_output=True, text=True, timeout=DOWNLOAD_S)
    except subprocess.TimeoutExpired:
        print(f"skipped: {name}: the registry does not answer")
        return None
    if done.returncode or not is_there():
        print(f"skipped: {name}: {(done.stderr or 'its package is not what it was').strip().splitlines()[-1]}")
        return None
    return modules
