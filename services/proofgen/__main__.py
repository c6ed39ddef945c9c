"""`python -m services.proofgen`: start proofgen and run it until SIGTERM."""

from services.proofgen.start import main

if __name__ == "__main__":
    main()
