from imageservice.scans.command import EPISODES, main

if __name__ == "__main__":
    raise SystemExit(main(EPISODES))
