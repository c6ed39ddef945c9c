"""`python -m services.importer`: start the importer and run it until SIGTERM."""

from services.importer.start import main

if __name__ == "__main__":
    main()
