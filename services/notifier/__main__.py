"""`python -m services.notifier`: start the notifier and run it until SIGTERM."""

from services.notifier.start import main

if __name__ == "__main__":
    main()
