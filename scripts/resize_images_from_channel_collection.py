from imageservice.scans.command import CHANNELS, main

if __name__ == "__main__":
    raise SystemExit(main(CHANNELS))
